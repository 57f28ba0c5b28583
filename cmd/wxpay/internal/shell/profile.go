package shell

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/wxpay-go/wxpay"
)

// Profile is the configuration of one merchant in the file of profiles. It prints redacted.
type Profile struct {
	wxpay.Config
	P12      string `toml:"p12" env:"WXPAY_P12"`                   // file of key and certificate, in place of both
	Password string `toml:"p12_password" env:"WXPAY_KEY_PASSWORD"` // its password; empty for the merchant number
}

// DefaultProfile is the name of the profile that counts if nothing else gives credentials.
const DefaultProfile = "default"

// ProfilesHelp is the text about the file of profiles.
const ProfilesHelp = `A profile is the credentials of one merchant in ~/.config/wxpay/config.toml ($XDG_CONFIG_HOME/wxpay/config.toml). Its keys
are those of wxpay.Config, and p12 with p12_password:

  [default]
  mchid = "1900000109"
  private_key = "~/wxpay/apiclient_key.pem"
  certificate = "~/wxpay/apiclient_cert.pem"
  public_key_id = "PUB_KEY_ID_…"
  public_key = "~/wxpay/pub_key.pem"
  apiv3_key = "keyring:default/apiv3_key"

A value may be a reference: file:PATH, env:NAME, base64:TEXT, or keyring:NAME for the system's keyring. A relative path
begins at the folder of the file, and ~ is the home folder. Only its owner may read the file. --profile NAME or WXPAY_PROFILE
chooses a profile, and [default] counts if no variable of the credentials is set. A profile is whole: it excludes those
variables.`

// ProfilesPath returns the path of the file of profiles; empty if there is no place for it.
func (sh *Shell) ProfilesPath() string {
	if dir := sh.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "wxpay", "config.toml")
	}
	if home := sh.home(); home != "" {
		return filepath.Join(home, ".config", "wxpay", "config.toml")
	}
	return ""
}

func (sh *Shell) home() string { return cmp.Or(sh.Getenv("HOME"), sh.Getenv("USERPROFILE")) }

// AtHome returns a path with the home folder in place of a tilde at its front.
func (sh *Shell) AtHome(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		return filepath.Join(sh.home(), rest)
	}
	return path
}

// Profiles returns the profiles of the file by name. It is fs.ErrNotExist if there is no file.
func (sh *Shell) Profiles() (map[string]Profile, error) {
	path := sh.ProfilesPath()
	if path == "" {
		return nil, Say("neither HOME nor XDG_CONFIG_HOME is set, so there is no file of profiles: %w", fs.ErrNotExist)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, Say("other users may read or write %s (mode %#o): chmod 600 it", path, mode)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var profiles map[string]Profile
	if err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(&profiles); err != nil {
		return nil, explainTOML(path, err)
	}
	for name, p := range profiles {
		for value := range p.values() {
			if value.Kind() == reflect.String {
				value.SetString(sh.pathOf(filepath.Dir(path), value.String(), slices.Contains(arePaths, value.variable)))
			}
		}
		profiles[name] = p
	}
	return profiles, nil
}

// explainTOML says where the file is wrong. It repeats no value, which may be a secret.
func explainTOML(path string, err error) error {
	var unknown *toml.StrictMissingError
	var fault *toml.DecodeError
	switch {
	case errors.As(err, &unknown) && len(unknown.Errors) > 0:
		fault = &unknown.Errors[0]
		row, _ := fault.Position()
		return Say("%s, line %d: there is no key %s", path, row, Bounded(strings.Join(fault.Key(), ".")))
	case errors.As(err, &fault):
		row, _ := fault.Position()
		if len(fault.Key()) > 0 {
			return Say("%s, line %d: %s has not the form of its value: quote texts and numbers", path, row, Bounded(strings.Join(fault.Key(), ".")))
		}
		return Say("%s, line %d: it is not TOML", path, row)
	}
	return Say("%s: it is not a file of profiles", path)
}

// pathOf completes the path in a value of the file of profiles, which is in dir: that of a reference, and that of a value
// which may be a path itself. A text that is no path stays.
func (sh *Shell) pathOf(dir, text string, mayBePath bool) string {
	path, isReference := strings.CutPrefix(text, "file:")
	before := strings.TrimSuffix(text, path)
	if !isReference && !mayBePath {
		return text
	}
	if strings.HasPrefix(path, "~/") {
		return before + sh.AtHome(path)
	}
	beside := filepath.Join(dir, path)
	if _, err := os.Stat(beside); path != "" && !filepath.IsAbs(path) && (isReference || err == nil) {
		return before + beside
	}
	return text
}

// field is a value of a profile, with its variable and its key.
type field struct {
	reflect.Value
	variable, key string
}

// values are the values of a profile.
func (p *Profile) values() func(yield func(field) bool) {
	return func(yield func(field) bool) {
		for _, of := range []reflect.Value{reflect.ValueOf(&p.Config).Elem(), reflect.ValueOf(p).Elem()} {
			for i := range of.NumField() {
				f := of.Type().Field(i)
				if !f.Anonymous && !yield(field{of.Field(i), f.Tag.Get("env"), f.Tag.Get("toml")}) {
					return
				}
			}
		}
	}
}

// Rows returns what a profile says without its secrets: a key and a text for each value that is set.
func (p Profile) Rows() (rows []Pair) {
	for value := range p.values() {
		text := ""
		switch {
		case value.Kind() == reflect.Bool && value.Bool():
			text = "true"
		case value.Kind() == reflect.Bool || value.String() == "":
			continue
		default:
			text = shown(value)
		}
		rows = append(rows, Pair{value.key, text})
	}
	return rows
}

// Set returns the values that are set, by their keys, in the order of the fields.
func (p Profile) Set() (keys []string, values map[string]any) {
	values = make(map[string]any)
	for value := range p.values() {
		if !value.IsZero() {
			keys, values[value.key] = append(keys, value.key), value.Interface()
		}
	}
	return keys, values
}

// NotShown stands for a value that is not shown, in [Profile.Rows].
var NotShown = Text("set, not shown")

// shown returns a value as it may be shown: a path or a reference is, a secret is not.
func shown(value field) string {
	text := value.String()
	scheme, _, isReference := strings.Cut(text, ":")
	switch {
	case isReference && slices.Contains([]string{"file", "env", "keyring"}, scheme), slices.Contains(public, value.variable):
		return Bounded(text)
	case slices.Contains(arePaths, value.variable):
		if _, err := os.Stat(text); err == nil {
			return OneLine(text)
		}
	}
	return NotShown
}

// choose returns the chosen profile as variables, and its name; nil for the environment.
func (sh *Shell) choose(flag string) (name string, values map[string]string, err error) {
	var set []string
	for _, variable := range append(slices.Clone(variablesOfClient), variableP12) {
		if sh.Getenv(variable) != "" {
			set = append(set, variable)
		}
	}
	name = cmp.Or(flag, sh.Getenv(variableProfile))
	switch {
	case name == "" && len(set) > 0:
		return "", nil, nil
	case len(set) > 0:
		return "", nil, Usage("the profile %s is chosen, and %s is set: a profile is whole, so unset the variables", Bounded(name), strings.Join(set, ", "))
	}
	profiles, err := sh.Profiles()
	if name == "" {
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil, nil
		}
		if _, ok := profiles[DefaultProfile]; !ok && err == nil {
			return "", nil, nil
		}
		name = DefaultProfile
	}
	profile, err := sh.profile(name, profiles, err)
	return name, profile.Variables(), err
}

// profile returns one of the profiles, whose file gave err.
func (sh *Shell) profile(name string, profiles map[string]Profile, err error) (Profile, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return Profile{}, Usage("the profile %s is chosen, and there is no file of profiles: %w; \"wxpay init\" writes it", Bounded(name), err)
	}
	if err != nil {
		return Profile{}, Usage("%w", err)
	}
	profile, ok := profiles[name]
	if !ok {
		return Profile{}, Usage("there is no profile %s in %s: there are %s", Bounded(name), sh.ProfilesPath(),
			Bounded(strings.Join(slices.Sorted(maps.Keys(profiles)), ", ")))
	}
	return profile, nil
}

// Variables returns a profile as the variables of its values.
func (p Profile) Variables() map[string]string {
	values := make(map[string]string)
	for value := range p.values() {
		switch {
		case value.Kind() == reflect.Bool && value.Bool():
			values[value.variable] = strconv.FormatBool(true)
		case value.Kind() == reflect.String && value.String() != "":
			values[value.variable] = value.String()
		}
	}
	return values
}
