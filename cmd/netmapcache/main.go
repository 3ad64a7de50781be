// Command netmapcache shows and checks what a cache of network maps holds, for
// people who debug VPN clients. Run it with "help".
//
// Its exit status is 0 if all is well, 1 if the answer is no (verify found damage,
// diff found a difference, nothing usable is stored), and 2 if there was trouble.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func main() {
	if !term.IsTerminal(int(os.Stdout.Fd())) {
		text.DisableColors()
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// errNo is the answer no, which has been printed.
var errNo = errors.New("no")

// run runs the command line args and returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	cmd := newCommand()
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	switch err := cmd.Execute(); {
	case err == nil:
		return 0
	case errors.Is(err, errNo):
		return 1
	case errors.Is(err, netmapcache.ErrCacheNotAvailable):
		fmt.Fprintln(stderr, "netmapcache:", explain(err))
		return 1
	default:
		fmt.Fprintln(stderr, "netmapcache:", explain(err))
		return 2
	}
}

func newCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "netmapcache",
		Short: "Show, check and move cached network maps",
		Long: `Show, check and move cached network maps.

SOURCE is a directory in which this project's cache or the one of
tailscale.com/ipn/ipnlocal/netmapcache keeps a network map, or a file that
"netmapcache export" wrote. Only import, export and clear write anything.

The exit status is 0 if all is well, 1 if the answer is no (verify found damage,
diff a difference, nothing usable is stored), and 2 if there was trouble.`,
		Example: `  netmapcache info ~/.config/client/netmap
  netmapcache peers --match db- ~/.config/client/netmap
  netmapcache export ~/.config/client/netmap before.netmap
  netmapcache diff before.netmap ~/.config/client/netmap`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	cmd.AddCommand(infoCommand(), showCommand(), peersCommand(), verifyCommand(), dumpCommand(), diffCommand(),
		importCommand(), exportCommand(), clearCommand())
	return cmd
}
