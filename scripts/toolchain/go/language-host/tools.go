//go:build tools

// Package tools pins the newest Node.js language host that is published as part of the SDK module.
package tools

import _ "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"
