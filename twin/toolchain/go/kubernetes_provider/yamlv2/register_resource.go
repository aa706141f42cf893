// Package v2 takes the place of a part of pulumi-kubernetes' Go SDK, yaml/v2/kinds.go.
//
// The provider uses that SDK for one thing: to register the objects of a chart or of a
// YAML file, by a switch over 157 kinds that names a Go type for each. With the types
// come 60 generated packages, which take as long to compile as all the rest of the
// provider. Nothing reads the types: the arguments are untyped and the result is handed
// on as a reference. So the build copies the SDK's few packages that matter, cuts the
// switch out, and puts this in its place; the type token, which is all that the switch
// decided, follows from apiVersion and kind.
package v2

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

type object struct {
	pulumi.CustomResourceState
}

// RegisterResource registers a Kubernetes object of any kind.
func RegisterResource(ctx *pulumi.Context, apiVersion, kind, name string, props pulumi.Input,
	opts ...pulumi.ResourceOption,
) (pulumi.CustomResource, error) {
	group := apiVersion
	if !strings.Contains(group, "/") {
		group = "core/" + group
	}
	var registered object
	token := fmt.Sprintf("kubernetes:%s:%s", group, kind)
	if err := ctx.RegisterResource(token, name, props, &registered, opts...); err != nil {
		return nil, err
	}
	return &registered, nil
}
