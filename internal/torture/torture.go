// Package torture decides how long the tests search that look for rare failures.
package torture

import "os"

// Long reports whether to search as long as `make torture` does: whether the
// environment variable TORTURE is set and not empty.
func Long() bool { return os.Getenv("TORTURE") != "" }

// Times returns how often to repeat something: ordinary times in `make test`,
// long times in `make torture`.
func Times(ordinary, long int) int {
	if Long() {
		return long
	}
	return ordinary
}
