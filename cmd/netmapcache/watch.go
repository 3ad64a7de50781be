package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/spf13/cobra"
	"tailscale.com/types/netmap"
)

func watchCommand() *cobra.Command {
	var (
		asJSON   bool
		interval time.Duration
	)
	cmd := &cobra.Command{
		Use:   "watch DIRECTORY",
		Short: "Show changes as they are saved",
		Long: `Show changes as they are saved, until interrupted. Each change is one line, as
"netmapcache diff" prints it. What is saved several times within an interval is
shown once.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := openDirectory(cmd, args[0])
			if err != nil {
				return err
			}
			w := watcher{cmd: cmd, src: src, json: asJSON}
			if err := w.look(); err != nil {
				return err
			}
			ticker := time.NewTicker(max(interval, time.Millisecond))
			defer ticker.Stop()
			for {
				select {
				case <-cmd.Context().Done():
					return nil
				case <-ticker.C:
				}
				if err := w.look(); err != nil {
					return err
				}
			}
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print each change as a JSON object in one line")
	cmd.Flags().DurationVar(&interval, "interval", 500*time.Millisecond, "how often to look")
	return cmd
}

// A watcher follows the netmap in a directory.
type watcher struct {
	cmd  *cobra.Command
	src  *source
	json bool

	looked bool
	state  string // the root when last looked, or what was wrong with it
	nm     *netmap.NetworkMap
}

// A news is a change or another event, and when it was seen.
type news struct {
	Time time.Time
	change
	Event string `json:",omitempty"` // what else happened: stored, cleared, damaged
	Error string `json:",omitempty"`
}

// look prints what has changed since the last look. The error is one of the output.
func (w *watcher) look() error {
	ctx := w.cmd.Context()
	root, err := w.src.store.Load(ctx, rootKey)
	state := string(root)
	if err != nil {
		state = err.Error()
	}
	// In Tailscale's layout a peer can change without the root.
	if w.looked && state == w.state && !strings.HasPrefix(state, "{") || ctx.Err() != nil {
		return nil
	}
	first := !w.looked
	w.looked, w.state = true, state
	before := w.nm
	w.nm, err = w.src.cache.Load(ctx)
	switch {
	case ctx.Err() != nil:
		return nil
	case errors.Is(err, netmapcache.ErrEmpty):
		if first {
			return w.begin("nothing is stored yet")
		}
		return w.event("cleared", nil)
	case err != nil:
		return w.event("unusable", err)
	case first:
		return w.begin(counted(len(w.nm.Peers), "peer") + w.src.asOf(w.cmd))
	case before == nil:
		return w.event(fmt.Sprintf("stored, with %s", counted(len(w.nm.Peers), "peer")), nil)
	}
	patch, err := compare(before, w.nm)
	if err != nil {
		return err
	}
	for _, c := range changesOf(patch, before, w.nm) {
		if err := w.print(news{change: c}, c.String()); err != nil {
			return err
		}
	}
	return nil
}

// begin says that watching has begun.
func (w *watcher) begin(what string) error {
	_, err := fmt.Fprintf(w.cmd.ErrOrStderr(), "netmapcache: watching %s: %s\n", plain(w.src.name), what)
	return err
}

func (w *watcher) event(what string, cause error) error {
	n := news{Event: what}
	if cause != nil {
		n.Error = reason(cause)
		what += ": " + plain(n.Error)
	}
	return w.print(n, "! "+what)
}

func (w *watcher) print(n news, line string) error {
	n.Time = time.Now()
	if w.json {
		if err := printLine(out(w.cmd), n); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(out(w.cmd), n.Time.Format(time.TimeOnly), line)
	}
	return out(w.cmd).Flush()
}
