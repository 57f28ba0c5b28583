package wxpay_test

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"html/template"
	"io"
	"log/slog"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	text "text/template"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNothingPrintsSecrets(t *testing.T) {
	t.Parallel()
	all := samples(t)
	suspects := suspects(t)
	require.Greater(t, len(suspects), 50, "the types were not found")
	for name, suspect := range suspects {
		s, known := all[name]
		switch {
		case !known && strings.HasPrefix(name, "api."): // generated, so that one of them stands for all
			assert.True(t, suspect.prints || strings.HasPrefix(suspect.way, "client → "), "%s prints what a chain holds", name)
		case !known:
			t.Errorf("%s may hold a secret (%s): give samples a value of it that does, or say why it cannot", name, suspect.way)
		case s.plain == "" && len(s.forms) == 0:
			t.Errorf("%s has an empty sample", name)
		}
	}
	for name, s := range all {
		if _, ok := suspects[name]; !ok && s.plain != "" {
			t.Errorf("%s is said to be plain, and nothing in it looks secret: take it out of samples", name)
		}
		t.Run(name, func(t *testing.T) {
			vacuous := true
			for _, f := range s.forms {
				want := reflect.TypeOf(s.forms[0].value).Elem()
				require.Equal(t, name[strings.LastIndex(name, ".")+1:], want.Name())
				vacuous = vacuous && !holdsGold(reflect.ValueOf(f.value), 0)
				for how, text := range printed(t, f.value, s.wire) {
					for _, secret := range unprintable {
						if f.keys && secret.key || !f.keys {
							if strings.Contains(text, secret.text) {
								t.Errorf("%s: %s shows %s: %s", f.name, how, secret.name, text)
								break
							}
						}
					}
				}
			}
			if vacuous && len(s.forms) > 0 && !hidesAll[name] {
				t.Error("the specimen holds no secret, so it proves nothing")
			}
		})
	}
}

// hidesAll are the types whose secrets not even reflection finds.
var hidesAll = map[string]bool{
	"apiv3.Opener": true, "apiv3.AESGCMStream": true, "KeyRing": true, "webhook.Handler": true, "Client": true, "Invoke": true,
	"sandbox.Clock": true, "sandbox.Faults": true,
}

// unprintable are the texts that must not turn up.
var unprintable = func() (list []struct {
	name, text string
	key        bool
}) {
	add := func(name, text string, key bool) {
		list = append(list, struct {
			name, text string
			key        bool
		}{name, text, key})
	}
	encodings := func(name, secret string, key bool) {
		add(name, secret, key)
		add(name+" in hex", hex.EncodeToString([]byte(secret)), key)
		add(name+" in upper-case hex", strings.ToUpper(hex.EncodeToString([]byte(secret))), key)
		add(name+" in spaced hex", fmt.Sprintf("% x", secret), key)
		add(name+" in numbers", strings.Trim(fmt.Sprint([]byte(secret)), "[]"), key)
		add(name+" in Go numbers", strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", []byte(secret)), "[]byte{"), "}"), key)
		for skip := range 3 { // base64 of a text that it stands in at any place
			whole := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", skip) + secret))
			add(name+" in base64", whole[(skip*8+5)/6:len(whole)-1], key)
		}
	}
	encodings("the APIv3 key", goldKey, true)
	encodings("a secret", gold, false)
	for _, order := range []binary.ByteOrder{binary.BigEndian, binary.LittleEndian} { // AES keeps its key in words
		var words [4]uint32
		_, _ = binary.Decode([]byte(goldKey), order, &words)
		add("the expanded APIv3 key", strings.Trim(fmt.Sprint(words), "[]"), true)
	}
	key := testKeys().merchant
	for _, n := range []*big.Int{key.D, key.Primes[0], key.Primes[1]} {
		add("the private key", n.String(), true)
		add("the private key in hex", n.Text(16), true)
		add("the private key in upper-case hex", strings.ToUpper(n.Text(16)), true)
		add("the private key in words", strings.Trim(fmt.Sprint(n.Bits()), "[]"), true)
		add("the private key in bytes", strings.Trim(fmt.Sprint(n.Bytes()), "[]"), true)
		add("the private key in base64", base64.RawStdEncoding.EncodeToString(n.Bytes()[:30]), true)
	}
	return list
}()

// printed returns v in every way that something is printed.
func printed(t *testing.T, v any, wire bool) map[string]string {
	texts := map[string]string{"Sprint": fmt.Sprint(v), "Sprintln": fmt.Sprintln(v)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%c", "%U", "%e", "%10.3s", "%o", "extra"} {
		texts[verb] = fmt.Sprintf(verb, v)
	}
	if err, ok := v.(error); ok {
		texts["Error"] = err.Error()
		texts["%w"] = fmt.Sprintf("%+v", fmt.Errorf("x: %w", err))
		texts["Join"] = fmt.Sprintf("%+v", errors.Join(err, err))
	}
	var out bytes.Buffer
	take := func(how string) {
		texts[how] = out.String()
		out.Reset()
	}
	if err := text.Must(text.New("").Parse(`{{.}} {{print .}} {{printf "%s" .}}`)).Execute(&out, v); err == nil {
		take("text/template")
	}
	if err := template.Must(template.New("").Parse(`<p title="{{.}}">{{.}}</p>`)).Execute(&out, v); err == nil {
		take("html/template")
	}
	type group struct{ V any }
	for name, handler := range map[string]slog.Handler{"slog text": slog.NewTextHandler(&out, nil), "slog JSON": slog.NewJSONHandler(&out, nil)} {
		if _, resolves := v.(slog.LogValuer); wire && !resolves && name == "slog JSON" {
			continue // JSON of what is made for JSON
		}
		logger := slog.New(handler)
		logger.Info("x", "v", v)
		logger.WithGroup("g").With("v", v).Info("x", slog.Group("h", "v", v))
		if !wire {
			logger.Info("x", "v", []any{v}, "g", group{v})
		}
		take(name)
	}
	if wire {
		return texts
	}
	for how, marshal := range map[string]func(any) ([]byte, error){
		"json": json.Marshal, "indented json": func(v any) ([]byte, error) { return json.MarshalIndent(v, "", " ") },
		"xml": xml.Marshal, "json in a map": func(v any) ([]byte, error) { return json.Marshal(map[string]any{"v": v}) },
	} {
		if data, err := marshal(v); err == nil {
			texts[how] = string(data)
		} else {
			texts[how] = err.Error()
		}
	}
	return texts
}

// holdsGold reports whether reflection finds a secret in v.
func holdsGold(v reflect.Value, depth int) bool {
	if !v.IsValid() || depth > 12 {
		return false
	}
	if v.Type() == reflect.TypeFor[*rsa.PrivateKey]() {
		return !v.IsNil()
	}
	switch v.Kind() {
	case reflect.String:
		return strings.Contains(v.String(), gold)
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && holdsGold(v.Elem(), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			if holdsGold(v.Field(i), depth+1) {
				return true
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
			return bytes.Contains(v.Bytes(), []byte(gold))
		}
		for i := range v.Len() {
			if holdsGold(v.Index(i), depth+1) {
				return true
			}
		}
	case reflect.Map:
		for i := v.MapRange(); i.Next(); {
			if holdsGold(i.Value(), depth+1) || holdsGold(i.Key(), depth+1) {
				return true
			}
		}
	}
	return false
}

// suspect is an exported type that may hold a secret.
type suspect struct {
	way    string // to the first one
	prints bool   // has the method Format, whatever it does; encodings see no unexported fields
}

// suspects finds every suspect in the module's public packages.
func suspects(t *testing.T) map[string]suspect {
	t.Helper()
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}\t{{.Dir}}\t{{.GoFiles}}", "./...").Output()
	require.NoError(t, err)
	files := map[string]string{}
	var public []string
	for line := range strings.Lines(string(out)) {
		columns := strings.Split(strings.TrimSpace(line), "\t")
		path := columns[0]
		files[path] = columns[1]
		if (path == module || strings.HasPrefix(path, module+"/")) && !slices.Contains(strings.Split(path, "/"), "internal") {
			public = append(public, path)
			for _, name := range strings.Fields(strings.Trim(columns[3], "[]")) {
				_, err := os.ReadFile(filepath.Join(columns[2], name)) // so that go test runs this again when it changes
				require.NoError(t, err)
			}
		}
	}
	from := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(files[path]) })
	found := map[string]suspect{}
	for _, path := range public {
		p, err := from.Import(path)
		require.NoError(t, err)
		for _, name := range p.Scope().Names() {
			object, ok := p.Scope().Lookup(name).(*types.TypeName)
			if !ok || !object.Exported() || object.IsAlias() || types.IsInterface(object.Type()) {
				continue
			}
			if way := holds(object.Type(), name, map[types.Type]bool{}); way != "" {
				methods := types.NewMethodSet(object.Type())
				short := strings.TrimLeft(strings.TrimPrefix(path+"."+name, module), "/.")
				found[short] = suspect{way, methods.Lookup(p, "Format") != nil}
			}
		}
	}
	return found
}

// holders are types of others that hold keys, bodies or identities.
var holders = map[string]bool{
	"crypto.Signer": true, "crypto.Decrypter": true, "crypto.PrivateKey": true, "crypto/rsa.PrivateKey": true, "crypto/ecdsa.PrivateKey": true,
	"crypto/ed25519.PrivateKey": true, "crypto/cipher.Block": true, "crypto/cipher.AEAD": true, "crypto/cipher.Stream": true, "crypto/tls.Config": true,
	"net/http.Header": true, "net/http.Request": true, "net/http.Response": true, "net/url.Values": true, "net/url.URL": true, "encoding/json.RawMessage": true,
}

// harmless are interfaces and types that hold nothing of the kind.
var harmless = map[string]bool{
	"context.Context": true, "apiv3.Scheme": true, "Lookup": true, "fact.Field": true, "net/http.RoundTripper": true, "middleware.Keys": true,
	"webhook.Keys":    true,
	"webhook.Deduper": true, "webhook.Waiter": true, "webhook.Lookup": true, "middleware.Limiter": true, "sandbox.TB": true, "middleware.Lookup": true,
}

// secretive are names of members whose text is likely a secret.
var secretive = regexp.MustCompile(`(?i)key|secret|sign|auth|openid|body|raw|token|value|want|got|package|payer|user|phone|number|detail`)

// holds returns the way from a type to the first thing in it that may be secret, "" if there is none.
func holds(t types.Type, name string, seen map[types.Type]bool) string {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		full := t.Obj().Name()
		ours := false
		if p := t.Obj().Pkg(); p != nil {
			short, of := strings.CutPrefix(p.Path(), module)
			ours = of
			if short = strings.TrimPrefix(short, "/"); short != "" {
				full = short + "." + full
			}
		}
		switch {
		case holders[full] || full == "error":
			return full
		case harmless[full] || seen[t] || !ours:
			return ""
		}
		seen[t] = true
		return holds(t.Underlying(), name, seen)
	case *types.Pointer:
		return holds(t.Elem(), name, seen)
	case *types.Slice:
		if b, ok := types.Unalias(t.Elem()).(*types.Basic); ok && b.Kind() == types.Byte {
			return "[]byte"
		}
		return holds(t.Elem(), name, seen)
	case *types.Array:
		return holds(t.Elem(), name, seen)
	case *types.Map:
		if way := holds(t.Key(), name, seen); way != "" {
			return way
		}
		return holds(t.Elem(), name, seen)
	case *types.Basic:
		if t.Info()&types.IsString != 0 && secretive.MatchString(name) {
			return "text"
		}
	case *types.Interface:
		return "any " + name
	case *types.Struct:
		for field := range t.Fields() {
			if way := holds(field.Type(), field.Name(), seen); way != "" {
				return field.Name() + " → " + way
			}
		}
	}
	return ""
}
