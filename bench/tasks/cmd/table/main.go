// Command table counts the ten tasks and writes the tables of README.md anew.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// clients are the columns.
var clients = []string{"pure", "declarative", "attribute", "typed", "official", "gopay", "resty", "requests"}

// work has the rows: the method of each task and its description.
var work = []struct{ method, what string }{
	{"Place", "place an order"}, {"Query", "query it"}, {"CloseOrder", "close it"}, {"Refund", "refund to its end"},
	{"Complaints", "walk a list"}, {"Upload", "upload a picture"}, {"Bill", "read a bill"}, {"Transfer", "transfer, with an encrypted name"},
	{"Notifications", "receive a notification"}, {"Apply", "send an applicant with twenty encrypted fields"},
}

// names are those of the API's fields. One is repeated where a task writes it again, in any
// spelling.
var names = []string{
	"appid", "mchid", "description", "out_trade_no", "notify_url", "amount", "total", "payer", "openid", "prepay_id", "trade_state",
	"out_refund_no", "refund", "currency", "begin_date", "end_date", "complaint_id", "media_id", "bill_date", "download_url", "hash_value",
	"out_bill_no", "transfer_scene_id", "user_name", "transfer_amount", "transfer_remark", "state", "event_type", "applyment_id",
	"contact_name", "filename", "sha256",
}

// count has the figures of a task in one client.
type count struct {
	lines, repeated int
	source          string
}

func main() {
	dir := flag.String("dir", ".", "the folder of this module")
	masked := flag.Int64("masked", -1, "print the tasks without names of libraries, in an order that this number makes, and write nothing")
	judge := flag.String("judge", "", "with -masked: the folder for a file for each task, and KEY.md, instead of printing")
	making := flag.Bool("make", false, "make the mistakes, and compare what becomes of them with the table")
	flag.Parse()
	if *making {
		differ, err := makeMistakes(*dir)
		if err != nil {
			log.Fatal(err)
		}
		if len(differ) > 0 {
			log.Fatal(strings.Join(differ, "\n"))
		}
		return
	}
	all := make(map[string]map[string]count)
	once := make(map[string]int)
	for _, client := range clients {
		counts, rest, err := read(filepath.Join(*dir, client, client+".go"))
		if err != nil {
			log.Fatal(err)
		}
		all[client], once[client] = counts, rest
	}
	if *masked >= 0 {
		if err := mask(all, uint64(*masked), *judge); err != nil {
			log.Fatal(err)
		}
		return
	}
	_, plumbing, err := read(filepath.Join(*dir, "plumbing", "plumbing.go"))
	if err != nil {
		log.Fatal(err)
	}
	once["resty"] += plumbing
	once["requests"] += plumbing
	if err := write(filepath.Join(*dir, "README.md"), tables(all, once)); err != nil {
		log.Fatal(err)
	}
}

// read counts the tasks in a file, and the lines of everything else but imports.
func read(path string) (counts map[string]count, rest int, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, text, 0)
	if err != nil {
		return nil, 0, err
	}
	counts = make(map[string]count)
	for _, declaration := range file.Decls {
		source := string(text[set.Position(declaration.Pos()).Offset:set.Position(declaration.End()).Offset])
		if general, ok := declaration.(*ast.GenDecl); ok && general.Tok == token.IMPORT {
			continue
		}
		function, ok := declaration.(*ast.FuncDecl)
		if ok && function.Recv != nil && isTask(function.Name.Name) {
			counts[function.Name.Name] = count{lines(source), repeated(function), source}
			continue
		}
		rest += lines(source)
	}
	return counts, rest, nil
}

func isTask(name string) bool {
	for _, w := range work {
		if w.method == name {
			return true
		}
	}
	return false
}

// lines counts those that hold code.
func lines(source string) (n int) {
	for line := range strings.Lines(source) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			n++
		}
	}
	return n
}

var separators = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// repeated counts the fields that a function names again.
func repeated(function *ast.FuncDecl) (n int) {
	seen := make(map[string]int)
	add := func(word string) {
		word = strings.ToLower(strings.ReplaceAll(word, "_", ""))
		for _, name := range names {
			if word == strings.ReplaceAll(name, "_", "") {
				seen[name]++
			}
		}
	}
	ast.Inspect(function.Body, func(node ast.Node) bool {
		switch x := node.(type) {
		case *ast.Ident:
			add(x.Name)
		case *ast.BasicLit:
			text, err := strconv.Unquote(x.Value)
			if x.Kind == token.STRING && err == nil {
				for _, word := range separators.Split(text, -1) {
					add(word)
				}
			}
		}
		return true
	})
	for _, times := range seen {
		n += times - 1
	}
	return n
}

// tables writes the counts.
func tables(all map[string]map[string]count, once map[string]int) string {
	var b strings.Builder
	row := func(cells ...any) {
		for _, cell := range cells {
			fmt.Fprintf(&b, "| %v ", cell)
		}
		b.WriteString("|\n")
	}
	head := func(first string) {
		cells, rule := []any{first}, []any{"---"}
		for _, client := range clients {
			cells, rule = append(cells, client), append(rule, "---")
		}
		row(cells...)
		row(rule...)
	}
	total := func(label string, of func(count) int) {
		cells := []any{label}
		for _, client := range clients {
			sum := 0
			for _, c := range all[client] {
				sum += of(c)
			}
			cells = append(cells, sum)
		}
		row(cells...)
	}
	b.WriteString("Lines of code:\n\n")
	head("task")
	for _, w := range work {
		cells := []any{w.what}
		for _, client := range clients {
			cells = append(cells, all[client][w.method].lines)
		}
		row(cells...)
	}
	total("**all ten**", func(c count) int { return c.lines })
	cells := []any{"once, besides"}
	for _, client := range clients {
		cells = append(cells, once[client])
	}
	row(cells...)
	b.WriteString("\nNames of fields that a task writes again:\n\n")
	head("task")
	for _, w := range work {
		cells := []any{w.what}
		for _, client := range clients {
			cells = append(cells, all[client][w.method].repeated)
		}
		row(cells...)
	}
	total("**all ten**", func(c count) int { return c.repeated })
	b.WriteString("\nWhat becomes of a mistake:\n\n")
	head("mistake")
	sums := make(map[string]map[fate]int)
	for _, m := range mistakes {
		cells := []any{m.what}
		for _, client := range clients {
			f := m.fates[client]
			if sums[client] == nil {
				sums[client] = make(map[fate]int)
			}
			sums[client][f]++
			if m.made(client) {
				cells = append(cells, f)
			} else {
				cells = append(cells, f+"\\*")
			}
		}
		row(cells...)
	}
	for _, f := range []fate{compiler, impossible, told, refused, silent} {
		cells := []any{"**" + string(f) + "**"}
		for _, client := range clients {
			cells = append(cells, sums[client][f])
		}
		row(cells...)
	}
	return b.String()
}

const begin, end = "<!-- tables: written by go run ./cmd/table -->\n", "<!-- end of tables -->\n"

// write puts the tables into the file in the place of the old ones.
func write(path, tables string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(text, []byte(begin))
	_, after, both := bytes.Cut(rest, []byte(end))
	if !ok || !both {
		return fmt.Errorf("%s has no place for the tables", path)
	}
	return os.WriteFile(path, []byte(string(before)+begin+"\n"+tables+"\n"+end+string(after)), 0o644)
}

// branded are the words that tell whose code it is.
var branded = regexp.MustCompile(`\b(wxpay|webhook|gopay|wechat|resty|requests|sdk|core|jsapi|refunddomestic|fileuploader|notify|payments|verifiers|plumbing)\.`)

// mask prints the tasks without the names of their packages, the variants of each in an order of
// its own. With a folder it writes a file for each task there, and the order to KEY.md.
func mask(all map[string]map[string]count, seed uint64, folder string) error {
	key := "# Which way is whose\n\n"
	for i, w := range work {
		order := rand.New(rand.NewPCG(seed, uint64(i))).Perm(len(clients))
		page := "# " + w.what + "\n"
		key += "- " + w.what + ":"
		for letter, at := range order {
			name := string(rune('A' + letter))
			key += " " + name + " " + clients[at]
			page += fmt.Sprintf("\n## %s\n\n```go\n%s\n```\n", name, branded.ReplaceAllString(all[clients[at]][w.method].source, "lib."))
		}
		key += "\n"
		if folder == "" {
			fmt.Println(page)
			continue
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("TASK_%d.md", i+1)), []byte(page), 0o644); err != nil {
			return err
		}
	}
	if folder == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(folder, "KEY.md"), []byte(key), 0o644)
}
