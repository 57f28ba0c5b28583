// Package opinion has second opinions on what this repository makes: programs and test vectors of others judge our
// cryptography, our OpenAPI documents and the configuration of our releases. It has tests only, and is a module of its own, so
// that nobody who uses a released module gets what they need.
package opinion
