package shell

import (
	"reflect"
	"slices"

	"github.com/wxpay-go/wxpay"
)

// Variables of this program, beside those of wxpay.Config.
const (
	variableP12      = "WXPAY_P12"
	variablePassword = "WXPAY_KEY_PASSWORD"
	variableProfile  = "WXPAY_PROFILE"
	variableOverlay  = "WXPAY_CATALOG_OVERLAY"
)

// variablesOfClient are the variables of wxpay.Config that a client is made of.
var variablesOfClient = func() (names []string) {
	for field := range reflect.TypeFor[wxpay.Config]().Fields() {
		if name := field.Tag.Get("env"); name != variableOverlay { // every command reads it
			names = append(names, name)
		}
	}
	return names
}()

// ClientVariables are the variables that make a client. A child that gets a sandbox's gets no other of them.
func ClientVariables() []string {
	return append(slices.Clone(variablesOfClient), variableP12, variablePassword, variableProfile)
}

// areKeys are the variables with a key or certificate, which may be a file's path.
var areKeys = []string{"WXPAY_PRIVATE_KEY", "WXPAY_CERTIFICATE", "WXPAY_PUBLIC_KEY"}

// arePaths are the variables whose value may be a file's path.
var arePaths = append(slices.Clone(areKeys), variableP12, variableOverlay)

// public are the variables whose text anybody may read.
var public = []string{"WXPAY_MCHID", "WXPAY_BRAND_ID", "WXPAY_SERIAL", "WXPAY_PUBLIC_KEY_ID", "WXPAY_BASE_URL", "WXPAY_INSECURE_HTTP", "WXPAY_P12"}
