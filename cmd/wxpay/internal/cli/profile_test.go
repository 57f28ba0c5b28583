package cli_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/zalando/go-keyring"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/cli"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
)

// home is a home folder with a file of profiles; no file for an empty text.
func home(t *testing.T, text string, mode os.FileMode) (environ []string, path string) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, ".config", "wxpay", "config.toml")
	if text != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), mode))
		require.NoError(t, os.Chmod(path, mode))
	}
	return []string{"HOME=" + dir}, path
}

// profiles is a file of two merchants.
func profiles(a, b *account) string {
	return `[default]
mchid = "` + a.Merchant().ID + `"
private_key = "` + a.path("apiclient_key.pem") + `"
certificate = "file:` + a.path("apiclient_cert.pem") + `"
apiv3_key = "env:SHOP_KEY"
base_url = "` + a.URL + `"

[shop-b]
mchid = "` + b.Merchant().ID + `"
p12 = "` + b.path("locked.p12") + `"
p12_password = "secret 1"
apiv3_key = "` + b.Merchant().APIv3Key + `"
base_url = "` + b.URL + `"
`
}

// A profile makes a client: that of the name, or [default] if nothing else gives credentials.
func TestProfiles(t *testing.T) {
	t.Parallel()
	a, b := newAccount(t), newAccount(t)
	environ, _ := home(t, profiles(a, b), 0o600)
	environ = append(environ, "SHOP_KEY="+a.Merchant().APIv3Key)
	for _, test := range []struct {
		name    string
		more    []string
		args    []string
		account *account
	}{
		{"default", nil, nil, a},
		{"flag", nil, []string{"--profile", "shop-b"}, b},
		{"variable", []string{"WXPAY_PROFILE=shop-b"}, nil, b},
		{"the flag comes first", []string{"WXPAY_PROFILE=shop-b"}, []string{"--profile", "default"}, a},
		{"the environment comes before [default]", b.environ(nil), nil, b},
		{"an empty variable is not set", []string{"WXPAY_MCHID="}, nil, a},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := len(test.account.Journal.All())
			for _, command := range [][]string{{"call", "v3/certificates"}, {"keys", "check"}} {
				code, _, stderr := clitest.Run(t, append(environ, test.more...), append(command, test.args...)...)
				assert.Zero(t, code, stderr)
			}
			assert.Greater(t, len(test.account.Journal.All()), before)
		})
	}

	code, stdout, stderr := clitest.Run(t, environ, "profiles")
	assert.Zero(t, code, stderr)
	assert.Contains(t, stdout, "shop-b\n  mchid               1900000109\n")
	assert.Contains(t, stdout, "  apiv3_key           env:SHOP_KEY\n")
	assert.Contains(t, stdout, "  p12_password        set, not shown\n")
	_, document, _ := clitest.Run(t, environ, "profiles", "--format=json")
	assert.Contains(t, document, `"p12_password": "set, not shown"`)
	for _, secret := range []string{"secret 1", b.Merchant().APIv3Key} {
		assert.NotContains(t, stdout+document, secret)
	}

	// A command that gets a sandbox gets nothing of the merchant.
	code, stdout, stderr = clitest.Run(t, append(environ, "WXPAY_PROFILE=shop-b", "WXPAY_P12=x"), "sandbox", "--",
		"sh", "-c", `echo "profile=$WXPAY_PROFILE p12=$WXPAY_P12 mchid=$WXPAY_MCHID"`)
	assert.Zero(t, code, stderr)
	assert.Equal(t, "profile= p12= mchid=1900000109\n", stdout)
}

// Paths begin at the folder of the file, or at the home folder.
func TestProfilesPaths(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	base := "[default]\nmchid = '" + a.Merchant().ID + "'\nbase_url = '" + a.URL + "'\n"
	for name, text := range map[string]string{
		"beside": "p12 = 'apiclient_cert.p12'\napiv3_key = 'file:apiv3_key'\n",
		"file":   "private_key = 'file:apiclient_key.pem'\ncertificate = 'apiclient_cert.pem'\napiv3_key = 'file:./apiv3_key'\n",
		"home":   "p12 = '~/.config/wxpay/locked.p12'\np12_password = 'file:~/.config/wxpay/password'\napiv3_key = 'file:~/.config/wxpay/apiv3_key'\n",
	} {
		t.Run(name, func(t *testing.T) {
			environ, path := home(t, base+text, 0o600)
			require.NoError(t, os.CopyFS(filepath.Dir(path), os.DirFS(a.dir)))
			code, _, stderr := clitest.Run(t, environ, "call", "v3/certificates")
			assert.Zero(t, code, stderr)
		})
	}
}

// The facts of a profile count for its calls.
func TestProfilesOverlay(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	environ, path := home(t, "[default]\nmchid = '"+a.Merchant().ID+"'\np12 = '"+a.path("apiclient_cert.p12")+"'\napiv3_key = 'file:"+
		a.path("apiv3_key")+"'\nbase_url = '"+a.URL+"'\ncatalog_overlay = 'facts.txt'\n", 0o600)
	code, _, stderr := clitest.Run(t, environ, "call", "v3/certificates")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "the profile default: catalog_overlay: ")
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), "facts.txt"), nil, 0o600))
	code, _, stderr = clitest.Run(t, environ, "call", "v3/certificates")
	assert.Zero(t, code, stderr)
}

// A file or a choice that cannot be used says so, and nothing is sent.
func TestProfilesMistakes(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	good := profiles(a, a)
	for _, test := range []struct {
		name string
		text string
		mode os.FileMode
		more []string
		args []string
		want string
	}{
		{"others may read it", good, 0o640, nil, nil, "(mode 0640): chmod 600 it"},
		{"no file", "", 0, nil, []string{"--profile", "x"}, `the profile x is chosen, and there is no file of profiles: `},
		{"no such profile", good, 0o600, nil, []string{"--profile", "x"}, "config.toml: there are default, shop-b"},
		{"beside variables", good, 0o600, []string{"WXPAY_PROFILE=shop-b", "WXPAY_BASE_URL=" + a.URL}, nil,
			"the profile shop-b is chosen, and WXPAY_BASE_URL is set: a profile is whole, so unset the variables"},
		{"unknown key", strings.Replace(good, "mchid", "mch_id", 1), 0o600, nil, nil, "config.toml, line 2: there is no key default.mch_id"},
		{"number without quotes", "[default]\nmchid = 1900000109\n", 0o600, nil, nil, "line 2: default.mchid has not the form of its value"},
		{"no TOML", "[default]\nmchid: 1\n", 0o600, nil, nil, "config.toml, line 2: it is not TOML"},
		{"incomplete", "[default]\nmchid = \"1900000109\"\n", 0o600, nil, nil,
			"the profile default: not set in "},
		{"damaged", strings.Replace(good, "env:SHOP_KEY", "file:nofile", 1), 0o600, nil, nil, "the profile default: apiv3_key: "},
		{"keyring", strings.Replace(good, "env:SHOP_KEY", "keyring:nothing", 1), 0o600, nil, nil, "the profile default: apiv3_key: the system's keyring gives no secret nothing of wxpay"},
		{"p12 that is PEM", "[default]\nmchid = '1900000109'\np12 = '" + a.path("apiclient_key.pem") + "'\n", 0o600, nil, nil,
			"wxpay: the profile default: p12: this is PEM text, not a .p12 file: "},
		{"with a sandbox", good, 0o600, nil, []string{"--sandbox", "--profile", "x"}, "--sandbox brings its own credentials"},
	} {
		t.Run(test.name, func(t *testing.T) {
			environ, _ := home(t, test.text, test.mode)
			code, stdout, stderr := clitest.Run(t, append(environ, test.more...), append([]string{"call", "v3/certificates"}, test.args...)...)
			assert.Equal(t, 2, code)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, test.want)
			assert.NotContains(t, stderr, "secret 1")
			assert.NotContains(t, stderr, a.Merchant().APIv3Key)
		})
	}
	assert.Empty(t, a.Journal.All())
}

// init asks, checks each answer, and writes a file that every command then uses.
func TestInit(t *testing.T) {
	keyring.MockInit()
	a := newAccount(t)
	a.write(t, "pub_key.pem", []byte(a.variables["WXPAY_PUBLIC_KEY"]))
	key := a.Merchant().APIv3Key
	for _, test := range []struct {
		name    string
		answers []string
		asks    []string // remarks among the questions
		has     []string // lines of the file
		more    []string
	}{
		{"all, with mistakes on the way", []string{
			"19000O0109", a.Merchant().ID, "nofile.pem", a.path("password"), a.path("apiclient_key.pem"), "",
			"5157F09EFDC096DE15EBE81A47057A72", a.variables["WXPAY_PUBLIC_KEY_ID"], a.path("apiclient_cert.pem"), a.path("pub_key.pem"),
			key, "", "short", key, "x", "k", "y"}, []string{
			"it is made of digits", "open nofile.pem: ", "it begins with PUB_KEY_ID_", "this is a certificate",
			"leave it empty to type the key", "has 5 bytes instead of 32", "answer k or f", "✓ PUB_KEY_ID_"}, []string{
			"mchid = '1900000109'", "private_key = '" + a.path("apiclient_key.pem") + "'", "certificate = '" + a.path("apiclient_cert.pem") + "'",
			"apiv3_key = 'keyring:default/apiv3_key'", "public_key = '" + a.path("pub_key.pem") + "'"}, nil},
		{"p12 under another password, without a public key", []string{
			a.Merchant().ID, a.path("locked.p12"), "guess", "secret 1", "f", "", "env:SHOP_KEY", "y"}, []string{
			"wrong password", "✓ "}, []string{"p12 = '" + a.path("locked.p12") + "'", "p12_password = 'secret 1'", "apiv3_key = 'env:SHOP_KEY'"},
			[]string{"SHOP_KEY=" + key}},
		{"p12, offline", []string{a.Merchant().ID, a.path("apiclient_cert.p12"), "", "file:" + a.path("apiv3_key"), "n"}, nil,
			[]string{"p12 = '" + a.path("apiclient_cert.p12") + "'", "apiv3_key = 'file:" + a.path("apiv3_key") + "'"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			environ, path := home(t, "", 0)
			environ = append(environ, test.more...)
			code, stdout, stderr := clitest.RunWith(t, environ, strings.Join(test.answers, "\n")+"\n", "init", "--base-url", a.URL)
			require.Zero(t, code, stderr)
			assert.Empty(t, stdout)
			for _, text := range test.asks {
				assert.Contains(t, stderr, text)
			}
			assert.NotContains(t, stderr, key)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			for _, line := range test.has {
				assert.Contains(t, string(text), line+"\n")
			}
			assert.NotContains(t, string(text), key)
			info, err := os.Stat(path)
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
			code, _, stderr = clitest.Run(t, environ, "call", "v3/certificates")
			assert.Zero(t, code, stderr)
			code, _, stderr = clitest.Run(t, environ, "init")
			assert.Equal(t, 2, code)
			assert.Contains(t, stderr, "there is a profile default already")
		})
	}
}

// Nothing is written, and the keyring keeps nothing, unless all is well or the user says so.
func TestInitWritesNothing(t *testing.T) {
	keyring.MockInit()
	a := newAccount(t)
	p12 := a.path("apiclient_cert.p12")
	for _, test := range []struct {
		name    string
		answers []string
		want    string
	}{
		{"the input ends", []string{a.Merchant().ID, p12}, "the input ended before the last answer: nothing was written"},
		{"the platform disagrees", []string{a.Merchant().ID, p12, "", "", strings.Repeat("x", 32), "k", "", ""}, "nothing was written"},
	} {
		t.Run(test.name, func(t *testing.T) {
			environ, path := home(t, "", 0)
			code, _, stderr := clitest.RunWith(t, environ, strings.Join(test.answers, "\n")+"\n", "init", "--base-url", a.URL)
			assert.Equal(t, 2, code)
			assert.Contains(t, stderr, test.want)
			assert.NoFileExists(t, path)
			_, err := keyring.Get("wxpay", "default/apiv3_key")
			assert.ErrorIs(t, err, keyring.ErrNotFound)
		})
	}
	environ, path := home(t, "# mine\n[other]\nmchid = \"1\"\n", 0o600)
	code, _, stderr := clitest.RunWith(t, environ, strings.Join([]string{a.Merchant().ID, p12, "", "file:" + a.path("apiv3_key"), "n"}, "\n")+"\n",
		"init", "shop-b", "--base-url", a.URL)
	require.Zero(t, code, stderr)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(text), "# mine\n[other]\nmchid = \"1\"\n\n[shop-b]\nmchid = '"), string(text))
	code, _, stderr = clitest.Run(t, environ, "init", "shop b")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "has other characters than letters, digits, - and _")
}

// In a terminal the questions come one by one, and the terminal shows no secret.
func TestInitInTerminal(t *testing.T) {
	keyring.MockInit()
	terminal, program, err := pty.Open()
	if errors.Is(err, pty.ErrUnsupported) {
		t.Skip("there are no pseudo-terminals here")
	}
	require.NoError(t, err)
	defer terminal.Close()
	a := newAccount(t)
	environ, path := home(t, "", 0)
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Main(t.Context(), []string{"init", "--base-url", a.URL}, program, program, program, environ)
		program.Close()
	}()
	var seen, unread string
	buffer := make([]byte, 4096)
	for _, step := range []struct {
		question string
		answers  bool
		answer   string
	}{
		{"Merchant number", true, a.Merchant().ID}, {"File of the private key", true, a.path("locked.p12")},
		{"Password of this file (not shown): ", true, "guess"}, {"wrong password", false, ""},
		{"Password of this file (not shown): ", true, "secret 1"}, {"Keep the password", true, "k"},
		{"Id of the WeChat Pay public key", true, ""}, {"Where is the APIv3 key?", true, ""},
		{"APIv3 key (not shown): ", true, a.Merchant().APIv3Key}, {"Keep the APIv3 key", true, "k"},
		{"Ask the platform", true, ""}, {"To use it: wxpay keys check", false, ""},
	} {
		for !strings.Contains(unread, step.question) {
			n, err := terminal.Read(buffer)
			require.NoError(t, err, seen)
			seen, unread = seen+string(buffer[:n]), unread+string(buffer[:n])
		}
		_, unread, _ = strings.Cut(unread, step.question)
		if step.answers {
			_, err := terminal.WriteString(step.answer + "\n")
			require.NoError(t, err)
		}
	}
	assert.Zero(t, <-ended, seen)
	assert.NotContains(t, seen, "secret 1")
	assert.NotContains(t, seen, a.Merchant().APIv3Key)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Contains(t, string(text), "p12_password = 'keyring:default/p12_password'\n")
	code, _, stderr := clitest.Run(t, environ, "call", "v3/certificates")
	assert.Zero(t, code, stderr)
}
