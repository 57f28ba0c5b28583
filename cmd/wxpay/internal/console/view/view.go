// Package view writes the pages of the console: their frame, their words in two languages, and everything that comes from
// outside as text alone.
package view

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/auth"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/zh"
	"github.com/wxpay-go/wxpay/sandbox"
)

//go:embed pages/*.html
var pages embed.FS

//go:embed assets
var assets embed.FS

// Language is that of a page.
type Language string

// Languages.
const (
	English Language = "en"
	Chinese Language = "zh"
)

// templates are the pages by language. They are parsed when the first is shown: most commands show none.
var templates = sync.OnceValue(func() map[Language]*pageSet {
	all := make(map[Language]*pageSet)
	for _, language := range []Language{English, Chinese} {
		set, err := parsePages(pages, "pages/*.html", map[string]function{
			"t": func(arguments []any) (any, error) {
				text, err := textArgument(arguments)
				if err != nil {
					return nil, err
				}
				return say(language, text)
			},
			"clock": of(func(t time.Time) string { return t.Format("15:04:05.000") }),
			"time":  of(func(t time.Time) string { return t.Format(time.DateTime) }),
			"explained": of(func(text string) string {
				if language == Chinese {
					return zh.Explanation(text)
				}
				return text
			}),
			"reason": of(func(e sandbox.Entry) string {
				if language == Chinese {
					return zh.Rejection(e.Reason, gjson.GetBytes(e.ResponseBody, "message").String())
				}
				return e.Reason
			}),
			"problem": of(func(text string) string { return problem(language, text) }),
			"line": of(func(name string) string {
				if language == Chinese {
					return zh.Line(name)
				}
				return name
			}),
			"took": of(Took), "yuan": of(Yuan), "json": of(JSON),
			"q": component, "url": address, "eq": equal, "ge": atLeast, "not": not, "or": either, "len": length,
		})
		if err != nil {
			panic(err) // the pages are embedded
		}
		all[language] = set
	}
	return all
})

// say returns a text of a page in a language. A text that is not in the table is an error.
func say(language Language, text string) (string, error) {
	translated, ok := words[text]
	switch {
	case !ok:
		return "", fmt.Errorf("console: the table of words lacks %q", text)
	case language == Chinese:
		return translated, nil
	}
	return text, nil
}

// Say returns a text of the table in the language of a request.
func Say(r *http.Request, text string) string {
	said, err := say(LanguageOf(r), text)
	if err != nil {
		return text
	}
	return said
}

// Problem says in the language of a request why an order was not carried out. A text that has no Chinese stays as it is.
func Problem(r *http.Request, err error) string { return problem(LanguageOf(r), err.Error()) }

func problem(language Language, text string) string {
	if language == Chinese {
		return zh.Refusal(text)
	}
	return strings.ReplaceAll(strings.TrimPrefix(text, "sandbox: "), "\nsandbox: ", "\n")
}

// Yuan writes an amount of fen.
func Yuan(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s¥%d.%02d", sign, fen/100, fen%100)
}

// Took writes a duration in milliseconds.
func Took(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64) + " ms"
}

// JSON indents a body if it is JSON, and returns it as it is otherwise.
func JSON(body []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, body, "", "  ") == nil {
		return out.String()
	}
	return string(body)
}

// Text makes what could steer a browser's text visible: control characters, and those that change the direction of writing.
func Text(text string) string {
	odd := func(r rune) bool {
		return r < 0x20 && r != '\n' && r != '\t' && r != '\r' || r >= 0x7f && r < 0xa0 || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError
	}
	if strings.IndexFunc(text, odd) < 0 {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if odd(r) {
			fmt.Fprintf(&out, "‹U+%04X›", r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// LanguageOf is that of the reader: the chosen one, or the browser's.
func LanguageOf(r *http.Request) Language {
	if cookie, err := r.Cookie("lang"); err == nil {
		if cookie.Value == string(Chinese) {
			return Chinese
		}
		return English
	}
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "zh") {
		return Chinese
	}
	return English
}

// themeOf is the chosen theme; empty for that of the system.
func themeOf(r *http.Request) string {
	if cookie, err := r.Cookie("theme"); err == nil && (cookie.Value == "dark" || cookie.Value == "light") {
		return cookie.Value
	}
	return ""
}

// Page is what a template gets.
type Page struct {
	Title    string // a text of the table
	Section  string // of the navigation; empty without one
	Language Language
	Theme    string
	CSRF     string // for forms
	Here     string // path and query of the page
	Problem  string // why the last order was not carried out
	Done     string // what it did
	Data     any

	Body HTML
}

// Frame names a page.
type Frame struct {
	Template, Title, Section string
	Status                   int    // 0 for 200
	Done                     string // what was done
	Err                      error  // why an order was not carried out: a problem, with the status 409 unless there is another
}

// Write writes a page.
func Write(w http.ResponseWriter, r *http.Request, f Frame, data any) {
	page := pageOf(r, data)
	page.Title, page.Section, page.Done = f.Title, f.Section, f.Done
	if f.Err != nil {
		page.Problem = Problem(r, f.Err)
		f.Status = cmp.Or(f.Status, http.StatusConflict)
	}
	body, err := execute(page.Language, f.Template, page)
	if err == nil {
		page.Body = HTML(body)
		body, err = execute(page.Language, "frame", page)
	}
	if err != nil {
		http.Error(w, "the page cannot be written: "+Text(err.Error()), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if f.Status != 0 {
		w.WriteHeader(f.Status)
	}
	_, _ = w.Write([]byte(body)) // the browser may be gone
}

// Fragment returns a part of a page.
func Fragment(r *http.Request, name string, data any) (string, error) {
	return execute(LanguageOf(r), name, pageOf(r, data))
}

func pageOf(r *http.Request, data any) Page {
	return Page{Language: LanguageOf(r), Theme: themeOf(r), CSRF: auth.FormToken(r), Here: r.URL.RequestURI(), Data: data}
}

func execute(language Language, name string, page Page) (string, error) {
	var out strings.Builder
	if err := templates()[language].execute(&out, name, page); err != nil {
		return "", err
	}
	return Text(out.String()), nil
}

// Notice writes what the guard says.
func Notice(w http.ResponseWriter, r *http.Request, status int, notice auth.Notice) {
	Write(w, r, Frame{Template: "notice", Title: "wxpay sandbox", Status: status}, notice)
}

// Assets serves the script and the style sheet.
func Assets() http.Handler {
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return http.StripPrefix("/assets/", http.FileServerFS(files))
}

// Settings keeps the language or the theme that a reader chooses, and returns to the page.
func Settings(w http.ResponseWriter, r *http.Request) {
	for name, values := range map[string][]string{"lang": {"en", "zh"}, "theme": {"light", "dark"}} {
		for _, value := range values {
			if r.PostFormValue(name) == value {
				http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", SameSite: http.SameSiteStrictMode, MaxAge: 365 * 24 * 3600})
			}
		}
	}
	http.Redirect(w, r, Local(r.PostFormValue("back"), "/"), http.StatusSeeOther)
}
