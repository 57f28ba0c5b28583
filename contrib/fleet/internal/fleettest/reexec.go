package fleettest

import (
	"os"
	"os/exec"
)

// The environment of a test program in a role.
const (
	roleVariable   = "FLEET_TEST_ROLE"
	configVariable = "FLEET_TEST_CONFIG"
)

// Reexec is this test program again, in a role.
func Reexec(role, config string) *exec.Cmd {
	c := exec.Command(os.Args[0], "-test.run=^TestMain$")
	c.Env = append(os.Environ(), roleVariable+"="+role, configVariable+"="+config)
	c.Stderr = os.Stderr
	return c
}
