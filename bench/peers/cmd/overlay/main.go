// Command overlay writes an overlay that takes RSA out of a build, and prints the path of its file:
//
//	go test -overlay "$(go run ./cmd/overlay)" -bench 'Feed|Order|Transfer|Upload'
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/wxpay-go/wxpay/bench/peers/internal/overlay"
)

func main() {
	folder, err := os.MkdirTemp("", "wxpay-overlay-")
	if err != nil {
		log.Fatal(err)
	}
	file, err := overlay.Make(folder)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(file)
}
