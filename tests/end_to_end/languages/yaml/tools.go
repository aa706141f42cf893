//go:build tools

// Pulumi's language host of YAML, of which this module pins the version.
package main

import _ "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"
