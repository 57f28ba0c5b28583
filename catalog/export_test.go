package catalog

// Load reads the catalogue afresh, as the first call of V3 does.
var Load = load

// The sizes of the embedded copies.
var PackedFacts, PackedTexts = len(packedFacts), len(packedTexts)

// What searches know beyond the facts.
var (
	Common   = common
	Synonyms = synonyms
	Fold     = fold
)
