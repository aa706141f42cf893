package handler

import (
	"sync"
	"time"

	"k8s.io/kube-openapi/pkg/cached"
)

// heldFor is how long a computed document is served before its source is read again.
const heldFor = 10 * time.Second

// heldValue is a cached value that reads its source once in a while, however often it changes.
type heldValue struct {
	source cached.Value[timedSpec]

	lock   sync.Mutex
	held   timedSpec
	etag   string
	readAt time.Time
}

func held(source cached.Value[timedSpec]) cached.Value[timedSpec] {
	return &heldValue{source: source}
}

// Get returns the document that is held, or the source's. One that the source cannot give is not held.
func (value *heldValue) Get() (timedSpec, string, error) {
	value.lock.Lock()
	defer value.lock.Unlock()
	if value.held.spec != nil && time.Since(value.readAt) < heldFor {
		return value.held, value.etag, nil
	}
	spec, etag, err := value.source.Get()
	if err == nil {
		value.held, value.etag, value.readAt = spec, etag, time.Now()
	}
	return spec, etag, err
}
