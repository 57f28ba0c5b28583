package vet

// checkIgnore checks the comments that silence a line.
var checkIgnore = newCheck("wxignore", explanation{
	english: `check the comments that silence a line

//wxpayvet:ignore silences a line, and says why. Without a reason it silences
nothing.`,
	chinese: `检查屏蔽某一行的注释

//wxpayvet:ignore 屏蔽一行，并说明理由。没有理由时不起作用。`,
}, func(k *check) {
	for _, file := range k.pass.Files {
		for _, group := range file.Comments {
			for _, comment := range group.List {
				if reason, ok := reasonOf(comment); ok && reason == "" {
					k.certain(comment, ignoring+" needs a reason: write why the line is right")
				}
			}
		}
	}
})
