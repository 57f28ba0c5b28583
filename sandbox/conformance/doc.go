// Package conformance holds the sandbox against clients that other people wrote for the real platform: the official SDK for
// Go and the client wechatpay-axios-plugin for Node.js, both as they are published. All that points them at the sandbox is
// a host: an http.RoundTripper that replaces it, the option baseURL, and the proxy of wxpay sandbox --transparent, with
// which the second calls api.mch.weixin.qq.com. They sign, encrypt, verify, decrypt and unmarshal
// with their own code, so what they accept the sandbox does right, or as wrongly as the platform.
//
// The package has tests only. It is a module of its own, so that nobody else depends on those clients. The tests of the
// Node.js client need node and npm, which fetches it; they are required where CI or WXPAY_TEST_LONG is set, and skipped
// elsewhere if they are missing.
package conformance
