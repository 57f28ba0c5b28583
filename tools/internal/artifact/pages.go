package artifact

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// shells are those whose packages take a file of completions, with the form of its name.
var shells = map[string]string{"bash": "%s.bash", "zsh": "_%s", "fish": "%s.fish"}

// Pages builds the program in the repository in dir and asks it for what is installed beside it: completions for shells, in
// out/completions, and a manual page for the program and each of its commands, in out/man.
func Pages(dir string, p Program, out string) (err error) {
	work, err := os.MkdirTemp("", "wxpay-pages-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	file := filepath.Join(work, p.Name+".exe")
	if err := p.Build(dir, "", file); err != nil {
		return err
	}
	programs, err := Programs(dir)
	if err != nil {
		return err
	}
	programs = slices.DeleteFunc(programs, func(other Program) bool { return other.Dir == p.Dir })
	a := asked{name: p.Name, programs: programs, run: func(args ...string) (string, error) {
		out, err := run(work, nil, file, args...)
		return string(out), err
	}}
	for _, folder := range []string{"completions", "man"} {
		if err := os.MkdirAll(filepath.Join(out, folder), 0o755); err != nil {
			return err
		}
	}
	for shell, name := range shells {
		script, err := a.run("completion", shell)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(out, "completions", fmt.Sprintf(name, p.Name)), []byte(script), 0o644); err != nil {
			return err
		}
	}
	version, err := a.run("--version")
	if err != nil {
		return err
	}
	a.version = strings.TrimSpace(version)
	return a.write(filepath.Join(out, "man"), nil, "")
}

// asked is a program that tells its commands and their help.
type asked struct {
	name, version string
	programs      []Program // of other releases, whose pages are their own: wxpay batch runs wxpay-batch
	run           func(args ...string) (string, error)
}

// write writes the manual page of a command, which is a list of words after the program's name, and those of its commands.
func (a asked) write(dir string, command []string, short string) error {
	help, err := a.run(append([]string{"help"}, command...)...)
	if err != nil {
		return err
	}
	completed, err := a.run(append(append([]string{"__complete"}, command...), "")...)
	if err != nil {
		return err
	}
	var below [][2]string // name and description of the commands under this one
	if strings.Contains(help, "\nAvailable Commands:\n") {
		for line := range strings.Lines(completed) {
			name, about, found := strings.Cut(strings.TrimSpace(line), "\t")
			if found && name != "help" && name != "completion" {
				below = append(below, [2]string{name, about})
			}
		}
	}
	name := strings.Join(append([]string{a.name}, command...), "-")
	if short == "" {
		short = "calls WeChat Pay APIv3"
	}
	var see []string
	if len(command) > 0 {
		see = append(see, strings.Join(append([]string{a.name}, command[:len(command)-1]...), "-"))
	}
	for _, b := range below {
		see = append(see, name+"-"+b[0])
	}
	page := roff(name, a.version, short, help, see)
	if err := os.WriteFile(filepath.Join(dir, name+".1"), []byte(page), 0o644); err != nil {
		return err
	}
	for _, b := range below {
		if slices.ContainsFunc(a.programs, func(p Program) bool { return p.Name == name+"-"+b[0] }) {
			continue
		}
		if err := a.write(dir, append(slices.Clone(command), b[0]), b[1]); err != nil {
			return err
		}
	}
	return nil
}

// section begins a part of a help text.
var section = regexp.MustCompile(`^(Exit codes|Usage|Examples|Available Commands|Flags|Global Flags):$`)

// roff writes a help text as a manual page. Lines that begin with a blank stay as they are; the rest is filled.
func roff(name, version, short, help string, see []string) string {
	var page strings.Builder
	fmt.Fprintf(&page, ".TH %s 1 \"\" \"%s\"\n.SH NAME\n%s \\- %s\n.SH DESCRIPTION\n",
		escaped(strings.ToUpper(name)), escaped(version), escaped(name), escaped(short))
	kept := false // the lines are those of a block that keeps them
	keep := func(on bool) {
		switch {
		case on && !kept:
			page.WriteString(".nf\n")
		case !on && kept:
			page.WriteString(".fi\n")
		}
		kept = on
	}
	for line := range strings.Lines(help) {
		line = strings.TrimRight(line, "\n")
		switch heading := section.FindStringSubmatch(line); {
		case heading != nil:
			keep(false)
			fmt.Fprintf(&page, ".SH %s\n", strings.ToUpper(heading[1]))
		case line == "":
			keep(false)
			page.WriteString(".PP\n")
		default:
			keep(strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t"))
			page.WriteString(escaped(line) + "\n")
		}
	}
	keep(false)
	if len(see) > 0 {
		page.WriteString(".SH SEE ALSO\n")
		for i, other := range see {
			end := ","
			if i == len(see)-1 {
				end = ""
			}
			fmt.Fprintf(&page, ".BR %s (1)%s\n", escaped(other), end)
		}
	}
	return page.String()
}

var special = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, "`", `\(ga`, `^`, `\(ha`, `~`, `\(ti`, `"`, `\(dq`)

// escaped is a text that roff prints as it is, also at the beginning of a line, whatever encoding it expects.
func escaped(text string) string {
	var out strings.Builder
	if strings.HasPrefix(text, ".") {
		out.WriteString(`\&`)
	}
	for _, r := range special.Replace(text) {
		if r < utf8.RuneSelf {
			out.WriteRune(r)
		} else {
			fmt.Fprintf(&out, `\[u%04X]`, r)
		}
	}
	return out.String()
}
