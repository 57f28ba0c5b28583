//go:build !race

package wxotel_test

const raceEnabled = false
