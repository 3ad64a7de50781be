package torture

import (
	"flag"
	"runtime"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// Check checks prop as [rapid.Check] does, in as many random cases as [Times]
// returns of ordinary and long; in a browser, where all is slower, in a tenth
// of them. A failure is repeated with the flag -rapid.seed that is reported
// with it. Tests that call Check must not run in parallel.
func Check(t *testing.T, ordinary, long int, prop func(t *rapid.T)) {
	t.Helper()
	cases := Times(ordinary, long)
	if runtime.GOOS == "js" {
		cases = max(1, cases/10)
	}
	// The library takes the number from its flag alone.
	for name, value := range map[string]string{"rapid.checks": strconv.Itoa(cases), "rapid.nofailfile": "true"} {
		f := flag.Lookup(name)
		old := f.Value.String()
		if err := f.Value.Set(value); err != nil {
			t.Fatal(err)
		}
		defer f.Value.Set(old)
	}
	rapid.Check(t, prop)
}
