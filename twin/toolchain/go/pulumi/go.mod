module aiplatform/pulumi

go 1.26.6

// The engine's own go.mod replaces this one; a replacement counts only in the
// main module, so it is said again.
replace github.com/atotto/clipboard => github.com/tgummerer/clipboard v0.0.0-20241001131231-d02d263e614e

require (
	github.com/pulumi/pulumi/pkg/v3 v3.274.1
	github.com/pulumi/pulumi/sdk/v3 v3.274.1
)

tool github.com/pulumi/pulumi/pkg/v3/cmd/pulumi
