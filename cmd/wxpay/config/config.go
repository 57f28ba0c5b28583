// Package config makes the client of a merchant whose credentials the command wxpay keeps: "wxpay init" asks for them,
// checks them, and writes them as a profile into ~/.config/wxpay/config.toml. A program that runs on the same machine, such
// as a script, can use the profile by its name. A service is better served by wxpay.FromEnv or wxpay.FromConfig, which need
// nothing but the client's own module. The page of the command line is docs/cli.md.
package config

import (
	"fmt"
	"os"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// FromProfile returns a client with the credentials of a profile. An empty name is the profile that WXPAY_PROFILE names,
// else "default". Unlike the command, it looks at no other credentials in the environment.
//
// References in the profile (file:, env:, base64:, keyring:) are resolved, and values are checked as by wxpay.New. The error
// names the file and the key whose value is absent or wrong, and no secret. A file that others may read is an error, except
// on Windows.
func FromProfile(name string, options ...wxpay.Option) (*wxpay.Client, error) {
	sh := &shell.Shell{Environ: os.Environ(), Options: options}
	client, err := sh.ClientFrom(name)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return client, nil
}
