package vet

import (
	"go/ast"
	"go/token"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// ignoring is the comment that silences the line it stands on, or the one below it.
const ignoring = "//wxpayvet:ignore"

// check is one run of one check over one package.
type check struct {
	pass *analysis.Pass
	*calls
	ignored map[line]bool
	hints   bool // hints are shown, too
	said    map[said]bool
}

// said is one report. Two calls of one helper make the same one.
type said struct {
	at   token.Pos
	text string
}

type line struct {
	file   string
	number int
}

// explanation is the text about a check.
type explanation struct{ english, chinese string }

// newCheck makes the analyzer of a check.
func newCheck(name string, about explanation, run func(*check)) *analysis.Analyzer {
	shown := new(bool)
	a := &analysis.Analyzer{
		Name: name, Doc: about.english + "\n\n" + about.chinese, URL: page + "#" + name,
		Requires: []*analysis.Analyzer{readCalls},
		Run: func(pass *analysis.Pass) (any, error) {
			found := *pass.ResultOf[readCalls].(*calls)
			own := *found.evaluator // checks run side by side, and each counts how deep it is
			found.evaluator = &own
			k := &check{pass: pass, calls: &found, ignored: map[line]bool{}, hints: *shown, said: map[said]bool{}}
			if k.variables == nil { // the package does not use the module
				return nil, nil
			}
			for _, file := range pass.Files {
				for _, group := range file.Comments {
					for _, comment := range group.List {
						if reason, ok := reasonOf(comment); ok && reason != "" {
							at := pass.Fset.Position(comment.Pos())
							k.ignored[line{at.Filename, at.Line}] = true
							k.ignored[line{at.Filename, at.Line + 1}] = true
						}
					}
				}
			}
			run(k)
			return nil, nil
		},
	}
	a.Flags.BoolVar(shown, "hints", true, "show what the documentation alone says, too")
	return a
}

// reasonOf returns the reason of a comment that silences a line.
func reasonOf(comment *ast.Comment) (reason string, ok bool) {
	rest, ok := strings.CutPrefix(comment.Text, ignoring)
	reason, _, _ = strings.Cut(rest, "//")
	return strings.TrimSpace(reason), ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t')
}

// certain reports a mistake that two sources or the library itself confirm.
func (k *check) certain(at ast.Node, text string, fixes ...analysis.SuggestedFix) {
	k.report(at, "error", text, fixes)
}

// hint reports what the documentation alone says.
func (k *check) hint(at ast.Node, text string, fixes ...analysis.SuggestedFix) {
	if k.hints {
		k.report(at, "hint", text+" (hint)", fixes)
	}
}

func (k *check) report(at ast.Node, category, text string, fixes []analysis.SuggestedFix) {
	where := k.pass.Fset.Position(at.Pos())
	this := said{at.Pos(), text}
	if k.ignored[line{where.Filename, where.Line}] || k.said[this] {
		return
	}
	k.said[this] = true
	k.pass.Report(analysis.Diagnostic{
		Pos: at.Pos(), End: at.End(), Category: category, Message: text, SuggestedFixes: fixes,
		URL: k.pass.Analyzer.URL, // without it, drivers link to the category
	})
}

// replace is a fix that writes a text in place of a node.
func replace(at ast.Node, message, with string) analysis.SuggestedFix {
	return analysis.SuggestedFix{Message: message, TextEdits: []analysis.TextEdit{{Pos: at.Pos(), End: at.End(), NewText: []byte(with)}}}
}

// insert is a fix that writes a text at a place.
func insert(at token.Pos, message, text string) analysis.SuggestedFix {
	return analysis.SuggestedFix{Message: message, TextEdits: []analysis.TextEdit{{Pos: at, End: at, NewText: []byte(text)}}}
}

// isLiteral reports whether a node is a text in the source, which a fix may replace.
func isLiteral(n ast.Node) bool {
	literal, ok := n.(*ast.BasicLit)
	return ok && literal.Kind == token.STRING
}

// nearest returns the candidate that differs least from a name, empty if all are far: two edits, or
// one for short names, count as near.
func nearest(name string, candidates []string) (best string) {
	least := 1 + min(2, len(name)/4)
	for _, candidate := range candidates {
		if d := distance(strings.ToLower(name), strings.ToLower(candidate), least); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance counts the insertions, deletions, changes and swaps between two texts, up to limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	rows := [3][]int{}
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
	}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, now := rows[0], rows[1], rows[2]
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(last[j]+1, now[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
		}
		rows = [3][]int{last, now, before}
	}
	return rows[1][len(b)]
}
