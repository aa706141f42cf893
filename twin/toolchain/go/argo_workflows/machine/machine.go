// Package machine has what differs for a program of Argo Workflows that runs as a process of this
// machine and not in a container: where the paths of the container are, the address of the cloud's
// object storage, and the addresses on which it listens.
package machine

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/minio/minio-go/v7"
)

// Mounts is the variable with the folders of the container's mounts, a JSON object by mount path.
const Mounts = "AIPLATFORM_TWIN_MOUNTS"

// Path returns where a path of the container is on this machine: below the folder of the longest
// mount path that it begins with.
func Path(path string) string {
	folders := map[string]string{}
	if err := json.Unmarshal([]byte(os.Getenv(Mounts)), &folders); err != nil {
		return path
	}
	longest := ""
	for mount := range folders {
		below := path == mount || strings.HasPrefix(path, strings.TrimSuffix(mount, "/")+"/")
		if below && len(mount) > len(longest) {
			longest = mount
		}
	}
	if longest == "" {
		return path
	}
	return folders[longest] + strings.TrimPrefix(path, longest)
}

// ObjectStorage returns the endpoint of S3 and the options of its client. AWS_ENDPOINT_URL, which the
// client of MinIO does not read, takes the place of the endpoint that a workflow states.
func ObjectStorage(endpoint string, options *minio.Options) (string, *minio.Options) {
	place, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL"))
	if err != nil || place.Host == "" {
		return endpoint, options
	}
	options.Secure = place.Scheme == "https"
	options.BucketLookup = minio.BucketLookupPath
	return place.Host, options
}

// Address returns the address on which it listens in place of a port of its container: the port of
// loopback that the variable states, or any.
func Address(variable string) string {
	port := os.Getenv(variable)
	if port == "" {
		port = "0"
	}
	return fmt.Sprintf("127.0.0.1:%s", port)
}
