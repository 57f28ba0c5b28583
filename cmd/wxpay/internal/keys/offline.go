package keys

import (
	"crypto"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// offline makes the checks that do not need the platform.
func (k *checker) offline() {
	if strings.Trim(k.id, "0123456789") != "" {
		if k.brand {
			k.fail(nameMerchant, "WXPAY_BRAND_ID is not made of digits: set it to the brand_id")
		} else {
			k.fail(nameMerchant, "the merchant number is not made of digits: set WXPAY_MCHID to the number that the "+
				"merchant platform shows under account centre")
		}
	}
	k.checkPrivateKey()
	k.checkCertificate()
	k.checkSerial()

	switch err := apiv3.CheckKey([]byte(k.apiv3Key)); {
	case k.apiv3Key == "":
		k.note(nameAPIv3Key, "none is given: notifications and platform certificates need it (WXPAY_APIV3_KEY)")
	case len(k.apiv3Key) == apiv3.KeySize && err != nil:
		k.fail(nameAPIv3Key, "%s", shell.Plainly(err))
	case err != nil:
		k.fail(nameAPIv3Key, "it has %d bytes instead of %d: set WXPAY_APIV3_KEY to the key from the merchant "+
			"platform under API security, without quotes or blanks",
			len(k.apiv3Key), apiv3.KeySize)
	default:
		k.apiv3OK = true
		k.ok(nameAPIv3Key, "%d bytes", apiv3.KeySize)
	}
	k.checkPublicKey()
}

func (k *checker) checkPrivateKey() {
	if k.keyErr != nil {
		k.fail(namePrivateKey, "it cannot be used: %s", shell.Plainly(k.keyErr))
		return
	}
	if err := apiv3.RSA().CheckPublicKey(k.key.Public()); err != nil {
		k.fail(namePrivateKey, "it cannot be used: %s; take apiclient_key.pem as the merchant platform made it",
			shell.Plainly(err))
		return
	}
	name, bits := algorithm(k.key.Public())
	k.ok(namePrivateKey, "%s, %d bits", name, bits)
}

func (k *checker) checkCertificate() {
	if k.certErr != nil {
		k.fail(nameCertificate, "it cannot be used: %s", shell.Plainly(k.certErr))
		return
	}
	if k.certificate == nil {
		k.note(nameCertificate, "none is given, so its validity and its private key are not checked: give it by "+
			"--cert or WXPAY_CERTIFICATE")
		return
	}
	k.mixedUp = true
	switch kind, owner := issuedTo(k.certificate); {
	case kind == ofPlatform:
		k.fail(nameCertificate, "it was issued to %s: the merchant's own is apiclient_cert.pem", owner)
	case !k.brand && k.certificate.Subject.CommonName != k.id: // whom that of a brand names is not documented
		k.fail(nameCertificate, "it was issued to %s and not to merchant %s: take the one of this merchant, or "+
			"correct WXPAY_MCHID", owner, shell.Bounded(k.id))
	case k.key != nil && !belongTogether(k.key, k.certificate.PublicKey):
		k.fail(nameCertificate, "the private key does not belong to it: take apiclient_key.pem and apiclient_cert.pem "+
			"that were made together; the platform has no private key, so a lost one needs a new certificate")
	case k.key == nil:
		k.mixedUp = false
		k.ok(nameCertificate, "issued to %s", owner)
	default:
		k.mixedUp = false
		k.ok(nameCertificate, "issued to %s, and the private key belongs to it", owner)
	}

	from, to := k.certificate.NotBefore, k.certificate.NotAfter
	switch text := validity(from, to, k.now); {
	case k.now.Before(from):
		k.fail(nameValidity, "the certificate is not valid yet (%s): look at this machine's clock", text)
	case k.now.After(to):
		k.fail(nameValidity, "the certificate is no longer valid (%s): apply for a new one in the merchant "+
			"platform under API security", text)
	case to.Sub(k.now) < renewBefore:
		k.note(nameValidity, "%s: apply for a new one in the merchant platform under API security, and use both for a time", text)
	default:
		k.ok(nameValidity, "%s", text)
	}
}

// renewBefore is how long before its end a certificate gets a remark.
const renewBefore = 30 * 24 * time.Hour

// belongTogether reports whether public is the public half of key.
func belongTogether(key crypto.Signer, public crypto.PublicKey) bool {
	half, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && half.Equal(public)
}

func (k *checker) checkSerial() {
	read := ""
	if k.certificate != nil {
		read = apiv3.Serial(k.certificate)
	}
	switch {
	case k.serial == "" && read == "": // the certificate could not be read, which has its own line
	case k.serial == "":
		k.ok(nameSerial, "%s", read)
	case strings.HasPrefix(k.serial, "PUB_KEY_ID_"):
		k.fail(nameSerial, "WXPAY_SERIAL is the id of the WeChat Pay public key: set WXPAY_PUBLIC_KEY_ID to it, and "+
			"WXPAY_SERIAL to the serial of apiclient_cert.pem")
	case !apiv3.IsSerial(k.serial) && apiv3.IsSerial(strings.ToUpper(k.serial)):
		k.fail(nameSerial, "WXPAY_SERIAL has lower-case digits: write it in upper case")
	case !apiv3.IsSerial(k.serial):
		k.fail(nameSerial, "WXPAY_SERIAL is not 40 hex digits: copy it from wxpay keys show apiclient_cert.pem, with "+
			"leading zeros")
	case read != "" && read != k.serial:
		k.mixedUp = true
		k.fail(nameSerial, "WXPAY_SERIAL is %s, and the certificate has %s: leave WXPAY_SERIAL empty, or take the "+
			"certificate that it names", k.serial, read)
	default:
		k.ok(nameSerial, "%s", k.serial)
	}
}

func (k *checker) checkPublicKey() {
	switch {
	case k.publicErr != nil:
		k.fail(namePublicKey, "%s", shell.Plainly(k.publicErr))
	case k.publicKey == nil:
		k.note(namePublicKey, "none is given; a merchant who has one sets WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY")
	case apiv3.IsSerial(k.publicID):
		k.fail(namePublicKey, "WXPAY_PUBLIC_KEY_ID is the serial of a certificate: the id of the public key begins "+
			"with PUB_KEY_ID_, and the merchant platform shows it beside the key")
	case k.key != nil && belongTogether(k.key, k.publicKey):
		k.fail(namePublicKey, "it is the merchant's own public key: save that of WeChat Pay (pub_key.pem) from the "+
			"merchant platform under API security")
	default:
		if err := apiv3.RSA().CheckPublicKey(k.publicKey); err != nil {
			k.fail(namePublicKey, "it cannot be used: %s; save pub_key.pem, the WeChat Pay public key, again from the merchant platform", shell.Plainly(err))
			return
		}
		k.publicOK = true
		name, bits := algorithm(k.publicKey)
		k.ok(namePublicKey, "%s, %s, %d bits", shell.Bounded(k.publicID), name, bits)
	}
}
