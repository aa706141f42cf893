// pulumi-resource-kubernetes, built from the published Go module.
//
// The module's own main package embeds files that its release process writes
// and that the module does not carry (schema-embed.json and
// terraform-mapping-embed.json). This one embeds the two files that it does
// carry; the build copies them from the module to beside this file, the schema
// with its version filled in.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var terraformMapping []byte

func main() {
	provider.Serve("kubernetes", version.Version, schema, terraformMapping)
}
