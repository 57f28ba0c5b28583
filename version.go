package wxpay

import "runtime"

// Version is the version of this module.
const Version = "0.1.0-dev"

// defaultUserAgent names this client to the platform, which rejects calls without a User-Agent.
var defaultUserAgent = "wxpay-go/" + Version + " (" + runtime.Version() + "; " + runtime.GOOS + "/" + runtime.GOARCH + ")"
