package torture

import (
	"flag"
	"runtime"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// Check checks prop as [rapid.Check] does. The number of random cases is that of [Times]
// for ordinary and long. In a browser, where everything is slower, it is a tenth
// of that. To repeat a failure, use the flag -rapid.seed that is reported
// with it. Tests that call Check must not run in parallel.
func Check(t *testing.T, ordinary, long int, prop func(t *rapid.T)) {
	t.Helper()
	cases := Times(ordinary, long)
	if runtime.GOOS == "js" {
		cases = max(1, cases/10)
	}
	// The library takes the number only from its flag.
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
