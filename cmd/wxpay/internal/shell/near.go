package shell

import "strings"

// Nearest returns the name that was probably meant, or nothing: one with the same letters in other case or without its
// marks, one that begins with it, or one that is at most two slips away.
func Nearest(name string, names []string) (nearest string) {
	best := min(3, (len(name)+1)/2) // two other letters make any word of a short one
	for _, candidate := range names {
		d := distance(bare(name), bare(candidate))
		if d > 1 && len(name) > 2 && strings.HasPrefix(bare(candidate), bare(name)) {
			d = 1
		}
		if d < best {
			best, nearest = d, candidate
		}
	}
	return nearest
}

// bare is a name without case, hyphens and underscores.
func bare(name string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))
}

// distance is how many bytes have to be inserted, deleted, replaced or swapped with the next to make b of a.
func distance(a, b string) int {
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
