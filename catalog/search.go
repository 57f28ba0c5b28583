package catalog

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/catalog/internal/text"
	"github.com/wxpay-go/wxpay/fact"
)

// maxWords bounds the work of one search.
const maxWords = 16

// Search finds operations that contain all words of a query, divided by blanks, in the official
// name, the path, the tags or the names of fields. Common words that the platform does not use also
// match: former names, English names, and colloquial ones (企业付款, native pay, 对账单). Case, hyphens
// and underscores do not matter. A method in upper case matches only that method. The best matches
// come first: names before paths, paths before tags, tags before fields, whole words before parts.
// Among equals come the most wanted operations first, and those of brands, offline and replaced
// ones last. It ignores words after the 16th.
func (c *Catalog) Search(words string) []*fact.Operation {
	method := ""
	var wanted []string
	for _, word := range strings.Fields(words) {
		if slices.Contains(text.Methods, word) {
			method = word
		} else if folded := fold(word); folded != "" && len(wanted) < maxWords {
			wanted = append(wanted, folded)
		}
	}
	if method == "" && len(wanted) == 0 {
		return nil
	}
	searches := readings(wanted)
	type hit struct {
		operation *fact.Operation
		score     int
	}
	var hits []hit
	for operation := range c.All() {
		if method != "" && operation.Method != method {
			continue
		}
		if score := rank(operation, searches); score > 0 {
			hits = append(hits, hit{operation, score})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return b.score - a.score })
	found := make([]*fact.Operation, len(hits))
	for i, h := range hits {
		found[i] = h.operation
	}
	return found
}

// reading is one way to understand a search: alternatives for each word, each of which is a list of
// words.
type reading [][][]string

// readings returns the readings of a search: its words, and one word written with blanks.
func readings(words []string) []reading {
	if kept := slices.DeleteFunc(slices.Clone(words), func(word string) bool { return fillers[word] }); len(kept) > 0 {
		words = kept
	}
	var one reading
	for _, word := range words {
		alternatives := [][]string{{word}}
		if short := strings.TrimSuffix(strings.TrimSuffix(word, "接口"), "api"); short != "" && short != word {
			alternatives = append(alternatives, []string{short})
			alternatives = append(alternatives, others(short)...)
		}
		one = append(one, append(alternatives, others(word)...))
	}
	list := []reading{one}
	if joined := strings.Join(words, ""); len(words) > 1 && synonyms[joined] != nil {
		list = append(list, reading{others(joined)})
	}
	return list
}

// others returns the synonyms of a word.
func others(word string) [][]string {
	var list [][]string
	for _, phrase := range synonyms[word] {
		var words []string
		for part := range strings.FieldsSeq(phrase) {
			words = append(words, fold(part))
		}
		list = append(list, words)
	}
	return list
}

// rank returns the quality of a match, 0 if one word does not match at all.
func rank(operation *fact.Operation, searches []reading) int {
	best := 0
	name, path := fold(operation.Name), fold(operation.Path)
	for _, search := range searches {
		total := 0
		for _, alternatives := range search {
			score := 0
			for i, words := range alternatives {
				least := 100
				for _, word := range words {
					least = min(least, rankWord(operation, name, path, word))
				}
				score = max(score, 8*least-min(i, 7)) // the word itself first, then its synonyms in their order
			}
			if score <= 0 {
				total = 0
				break
			}
			total += score
		}
		if len(search) > 0 {
			total /= len(search)
		}
		best = max(best, total)
	}
	if best == 0 && !slices.ContainsFunc(searches, func(r reading) bool { return len(r) == 0 }) {
		return 0
	}
	if i := slices.Index(common, operation.Method+" "+operation.Path); i >= 0 {
		best += 3 + len(common) - i
	}
	if operation.Status != fact.Offline && operation.Status != fact.Superseded {
		best += 2
	}
	if operation.Scheme == fact.MerchantScheme {
		best++
	}
	return best + 1
}

func rankWord(operation *fact.Operation, name, path, word string) int {
	score := rankName(name, word)
	if score < 70 {
		score = max(score, rankPath(path, word), rankTags(operation.Tags, word))
	}
	if score < 20 {
		score = max(score, rankFields(operation, word))
	}
	return score
}

func rankName(name, word string) int {
	switch {
	case name == word:
		return 100
	case strings.Contains(name, word):
		return 60 + 30*len(word)/len(name)
	case len(word) > utf8.RuneCountInString(word) && inOrder(name, word):
		return 15
	}
	return 0
}

// inOrder reports whether s contains the characters of word in order: Chinese has no blanks, and
// other characters may stand between.
func inOrder(s, word string) bool {
	for _, r := range word {
		i := strings.IndexRune(s, r)
		if i < 0 {
			return false
		}
		s = s[i+utf8.RuneLen(r):]
	}
	return true
}

func rankPath(path, word string) int {
	if strings.Trim(path, "/") == strings.Trim(word, "/") {
		return 100
	}
	at := strings.Index(path, word)
	if at < 0 {
		return 0
	}
	for ; at >= 0; at = next(path, word, at) {
		end := at + len(word)
		if (word[0] == '/' || at > 0 && path[at-1] == '/') && (end == len(path) || path[end] == '/') {
			return 55
		}
	}
	return 40
}

// next returns the next index of word in s after at.
func next(s, word string, at int) int {
	i := strings.Index(s[at+1:], word)
	if i < 0 {
		return -1
	}
	return at + 1 + i
}

func rankTags(tags []string, word string) int {
	best := 0
	for _, tag := range tags {
		tag = fold(tag)
		if !strings.Contains(tag, word) {
			continue
		}
		best = max(best, 25)
		for level := range strings.SplitSeq(tag, "/") {
			if level == word {
				return 35
			}
		}
	}
	return best
}

func rankFields(operation *fact.Operation, word string) int {
	best := 0
	in := &operation.In
	for _, list := range [...][]fact.Field{in.Path, in.Query, in.Header, in.JSON, in.Form, operation.Out} {
		if best = max(best, rankList(list, word)); best == 20 {
			break
		}
	}
	return best
}

func rankList(list []fact.Field, word string) int {
	best := 0
	for i := range list {
		switch name := fold(list[i].Name); {
		case name == word:
			return 20
		case strings.Contains(name, word):
			best = max(best, 8)
		}
		if best = max(best, rankList(list[i].Fields, word)); best == 20 {
			break
		}
	}
	return best
}

// fold reduces spellings of a name to one: user-feeds, user_feeds, userFeeds.
func fold(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; c == '-' || c == '_' || 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' {
			return -1
		}
		return r
	}, strings.ToLower(s))
}
