package sensitive

import "strconv"

// Rule is the caller's word about one place: encrypt it, or leave it plain.
type Rule struct {
	Pointer string
	Names   []string // of Pointer, in which Every stands for each element of an array
	Plain   bool
}

// Every stands for each element of an array in a rule.
const Every = "*"

// use is a rule at work.
type use struct {
	*Rule
	age  int // 0 is the newest
	used bool
}

// uses puts rules, which are newest first, to work.
func uses(rules []Rule) []*use {
	list := make([]*use, len(rules))
	for i := range rules {
		list[i] = &use{Rule: &rules[i], age: i}
	}
	return list
}

// along returns the rules whose name at depth is one of these.
func along(rules []*use, depth int, name, alias string) (leading []*use) {
	for _, rule := range rules {
		if at := rule.Names[depth]; at == name || at == alias {
			leading = append(leading, rule)
		}
	}
	return leading
}

func alongName(rules []*use, depth int, name string) []*use { return along(rules, depth, name, name) }

func alongIndex(rules []*use, depth, index int) []*use {
	return along(rules, depth, strconv.Itoa(index), Every)
}
