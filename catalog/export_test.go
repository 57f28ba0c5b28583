package catalog

// Load unpacks the catalogue afresh, as the first call of V3 does.
var Load = load

// Packed is the embedded copy.
var Packed = packed
