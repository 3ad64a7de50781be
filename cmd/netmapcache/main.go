// Command netmapcache shows and checks what a cache of network maps holds, for
// people who debug VPN clients. Run it with "help".
package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	width := 0
	if fd := int(os.Stdout.Fd()); term.IsTerminal(fd) {
		width, _, _ = term.GetSize(fd)
	} else {
		text.DisableColors()
	}
	os.Exit(run(ctx, os.Args[1:], os.Stdin, &output{bufio.NewWriter(os.Stdout), width}, os.Stderr))
}

// output is where commands print to. Its Flush reports the first error of all writes.
type output struct {
	*bufio.Writer
	width int // of the terminal, in columns; 0 if there is no terminal
}

// out returns the output of cmd.
func out(cmd *cobra.Command) *output { return cmd.OutOrStdout().(*output) }

// exitStatus is part of every help text.
const exitStatus = "Exit status: 0 yes, 1 the answer is no (sources differ, no such peer), 2 trouble,\n3 nothing stored, 4 damaged."

var (
	// errNo says that the answer is no, and has been printed.
	errNo = errors.New("no")

	// errDamaged says that something is damaged, and has been printed.
	errDamaged = errors.New("damaged")
)

// run runs the command line args and returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout *output, stderr io.Writer) int {
	cmd := newCommand()
	cmd.SetArgs(args)
	cmd.SetIn(stdin)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	if flushErr := stdout.Flush(); flushErr != nil {
		err = flushErr
	}
	if err != nil && err != errNo && err != errDamaged {
		fmt.Fprintln(stderr, "netmapcache:", explain(err))
	}
	switch {
	case err == nil:
		return 0
	case err == errNo:
		return 1
	case err == errDamaged, errors.Is(err, netmapcache.ErrCorrupt):
		return 4
	case errors.Is(err, netmapcache.ErrEmpty):
		return 3
	default:
		return 2
	}
}

func newCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "netmapcache",
		Short: "Show, check and move cached network maps",
		Long: `Show, check and move cached network maps.

SOURCE is one of these:

- a directory in which this project's cache, or the one of
  tailscale.com/ipn/ipnlocal/netmapcache, keeps a network map;
- a prefix in etcd, as etcd://HOST:PORT/PREFIX, followed by ?node=NODE for a node
  of a fleet that shares columns there;
- a file that "netmapcache export" or a page wrote, or - for such a file on
  standard input.

DIRECTORY can be a prefix in etcd too. Only import, export and clear write anything.`,
		Example: `  netmapcache info ~/.config/client/netmap
  netmapcache peers --match db- ~/.config/client/netmap
  netmapcache peer 100.64.0.7 ~/.config/client/netmap
  netmapcache export ~/.config/client/netmap before.netmap
  netmapcache diff before.netmap ~/.config/client/netmap`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	cmd.AddGroup(
		&cobra.Group{ID: "look", Title: "Look:"},
		&cobra.Group{ID: "check", Title: "Check and compare:"},
		&cobra.Group{ID: "move", Title: "Move and remove:"},
	)
	add := func(group string, subcommands ...*cobra.Command) {
		for _, sub := range subcommands {
			sub.GroupID = group
			cmd.AddCommand(sub)
		}
	}
	add("look", infoCommand(), showCommand(), peersCommand(), peerCommand(), statsCommand(), watchCommand(), dumpCommand())
	add("check", verifyCommand(), diffCommand())
	add("move", exportCommand(), importCommand(), clearCommand())
	add("", versionCommand(), manCommand())
	addEtcdFlags(cmd)
	for _, c := range append(cmd.Commands(), cmd) {
		c.Long = cmp.Or(c.Long, c.Short+".") + "\n\n" + exitStatus
	}
	return cmd
}
