package main

// fate is what becomes of a mistake.
type fate string

const (
	compiler   fate = "compiler" // the compiler refuses it, and the editor marks it
	impossible fate = "cannot"   // there is no way to make it
	told       fate = "told"     // an error or the log says so before the platform does, or in its place
	refused    fate = "refused"  // the platform refuses it, if it does
	silent     fate = "silent"   // nothing says so
)

// mistakes are what goes wrong in these tasks. The fates were found by reading the clients, not by making each mistake in each.
var mistakes = []struct {
	what  string
	fates map[string]fate
}{
	{"a segment of the path is misspelt", each(compiler, told, told, impossible, impossible, impossible, refused, refused)},
	{"a required member of the body is misspelt", each(told, told, told, compiler, compiler, refused, refused, refused)},
	{"an optional member of the body is misspelt", each(told, told, told, compiler, compiler, silent, silent, silent)},
	{"an amount is a text", each(told, told, told, compiler, compiler, refused, refused, refused)},
	{"an amount in the answer is read under another name", each(told, told, told, compiler, compiler, compiler, silent, silent)},
	{"a number with a slash goes into the path", each(impossible, impossible, impossible, impossible, impossible, silent, impossible, silent)},
	{"a sensitive member is not encrypted", each(impossible, impossible, impossible, refused, refused, refused, refused, refused)},
	{"the answer to a refund is lost, and nobody asks", each(told, told, told, silent, silent, silent, silent, silent)},
	{"a list is taken to end where total_count is missing", each(impossible, impossible, impossible, impossible, silent, silent, silent, silent)},
	{"a day is taken in another time zone than Beijing's", each(impossible, impossible, impossible, silent, silent, silent, silent, silent)},
	{"the digest of a bill is not compared", each(impossible, impossible, impossible, silent, silent, silent, silent, silent)},
	{"a notification is not verified", each(impossible, impossible, impossible, impossible, impossible, silent, impossible, impossible)},
}

// each gives the fates in the order of the columns.
func each(fates ...fate) map[string]fate {
	all := make(map[string]fate)
	for i, client := range clients {
		all[client] = fates[i]
	}
	return all
}
