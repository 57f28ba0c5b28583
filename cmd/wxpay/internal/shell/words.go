package shell

import (
	"regexp"
	"strings"
)

// flagOf is the flag for a method of a chain.
var flagOf = map[string]string{
	"Var": "--var", "RawVar": "--raw-var", "Query": "-q", "Header": "-H", "Encrypt": "--encrypt", "Plain": "--plain",
}

// The forms in which errors of the client name methods of a chain.
var (
	namedValue = regexp.MustCompile(`\b(call |use )?(Var|RawVar|Query|Header)\("?([^",()]+)"?, (?:…|value)\)`)
	pointer    = regexp.MustCompile(`\b(Encrypt|Plain)\("([^"]*)"\)`)
	bareMethod = regexp.MustCompile(`\b(with|use|drop) (Var|RawVar|Query|Header|Encrypt|Plain)\b`)
)

// variables are other remedies of the client, each with its counterpart here.
var variables = strings.NewReplacer(
	"make a client with WithBaseURL", "set WXPAY_BASE_URL",
	"WithBaseURL", "WXPAY_BASE_URL",
	"the catalogue does not know the paging of the list: call Paging",
	"the catalogue does not know the paging of the list: read page after page with -q, without --paginate",
	"WithInsecureHTTP", "WXPAY_INSECURE_HTTP",
	"; or WithCertificates() if the merchant still has platform certificates, WithPlatformCertificates if you keep them yourself",
	"; or WXPAY_APIV3_KEY if the merchant still has platform certificates",
	"pass WithPublicKey(id, key) in place of WithCertificates", "set WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY",
	"WithCertificates is not for brands", "WXPAY_FETCH_CERTIFICATES is not for brands",
	"WithCertificates needs", "WXPAY_FETCH_CERTIFICATES needs",
	"WithCertificates would have fetched", "WXPAY_FETCH_CERTIFICATES=true would have fetched",
	"pass WithPublicKey(id, key)", "set WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY",
	"WithPublicKey: ", "WXPAY_PUBLIC_KEY_ID: ",
	"it belongs into WithPublicKey", "it belongs into WXPAY_PUBLIC_KEY_ID",
	"which contrib/pkcs12 reads", "which --p12 and WXPAY_P12 take",
	"wxpay.LoadPrivateKey reads it", "WXPAY_PRIVATE_KEY takes it",
	"ParseEncryptedPKCS8 reads it", "decrypt it first (openssl pkey -in FILE -out apiclient_key.pem)",
	"does not belong to Certificate (", "does not belong to WXPAY_CERTIFICATE (",
	"but Certificate (", "but WXPAY_CERTIFICATE (",
	"leave Serial empty", "leave WXPAY_SERIAL out",
	"*ecdsa.PublicKey", "an ECDSA key",
	"ed25519.PublicKey", "an Ed25519 key",
	"Merchant.ID", "WXPAY_MCHID or WXPAY_BRAND_ID",
	"Merchant.Serial", "WXPAY_SERIAL",
	"Merchant.APIv3Key", "WXPAY_APIV3_KEY",
	"Merchant.PrivateKey", "WXPAY_PRIVATE_KEY",
	"WithDefaults", "--appid",
	"call Ensure without UntilFinal", "use --ensure without --until-final",
	"UntilFinal", "--until-final",
	"pass the Digest that", "give by --digest the one that",
	" (WithTimeout and WithAttemptTimeout set the limits)", "",
	" (WithTimeout sets the limit)", "",
)

// InFlags puts a text of the client, which names methods and options of Go, into flags and variables.
func InFlags(text string) string {
	text = namedValue.ReplaceAllStringFunc(text, func(remedy string) string {
		parts := namedValue.FindStringSubmatch(remedy)
		value := flagOf[parts[2]] + " " + parts[3] + "=…"
		if parts[2] == "Header" {
			value = "-H '" + parts[3] + ": …'"
		}
		if parts[1] != "" {
			return "give " + value
		}
		return value
	})
	text = pointer.ReplaceAllStringFunc(text, func(remedy string) string {
		parts := pointer.FindStringSubmatch(remedy)
		return flagOf[parts[1]] + " " + parts[2]
	})
	text = bareMethod.ReplaceAllStringFunc(text, func(remedy string) string {
		verb, method, _ := strings.Cut(remedy, " ")
		return verb + " " + flagOf[method]
	})
	return variables.Replace(text)
}
