// Package fleettest gives tests an engine, a server or a cluster that can be cut and killed, and
// lets a test program run as another process.
package fleettest

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"testing"
)

// Roles are what a test program can be instead of a test, by name: each takes its configuration.
type Roles map[string]func(config string) error

// Main is TestMain of a package whose program has roles, besides that of a node of a cluster.
func Main(m *testing.M, roles Roles) {
	role := os.Getenv(roleVariable)
	if role == "" {
		flag.Parse()
		// Nearly all of these tests wait: for leases, elections and pauses. -parallel sets another number.
		if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
			if err := parallel.Value.Set("8"); err != nil {
				panic(err)
			}
		}
		os.Exit(m.Run())
	}
	all := maps.Clone(roles)
	all["node"] = runNode
	if err := all[role](os.Getenv(configVariable)); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", role, err)
		os.Exit(1)
	}
}
