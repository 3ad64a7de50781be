package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// openDirectory opens a directory, or a prefix in etcd, to change it.
func openDirectory(cmd *cobra.Command, dir string) (*source, error) {
	if isEtcd(dir) {
		return openEtcd(cmd, dir)
	}
	if st, err := os.Stat(dir); err != nil {
		return nil, err
	} else if !st.IsDir() {
		return nil, fmt.Errorf("%s: not a directory", dir)
	}
	return open(cmd, dir)
}

// openTarget opens the directory in which a network map will be stored. If there is none, it makes one for this user alone. It
// asks before a network map is replaced, and before root writes files that the directory's owner can't read.
func openTarget(cmd *cobra.Command, dir string, yes bool) (*source, error) {
	target, err := openDirectory(cmd, dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		return openDirectory(cmd, dir)
	case err != nil:
		return nil, err
	case target.inFleet:
		return nil, fmt.Errorf("%s: only the node itself can store a network map in its fleet", dir)
	case target.owner != "":
		err = confirm(cmd, yes, fmt.Sprintf("write into %s, which belongs to %s, files that only root can read", dir, target.owner))
	case target.holdsAnything(cmd):
		err = confirm(cmd, yes, "replace the network map in "+dir)
	}
	return target, err
}

// holdsAnything reports whether s has a root, or columns without a root. It also returns true if s can't be read.
func (s *source) holdsAnything(cmd *cobra.Command) bool {
	_, err := s.info(cmd.Context())
	return !errors.Is(err, netmapcache.ErrEmpty)
}

func yesFlag(cmd *cobra.Command, yes *bool) {
	cmd.Flags().BoolVarP(yes, "yes", "y", false, "don't ask")
}

// confirm asks whether to do what can't be undone, unless yes is true. Without a terminal it reports an error instead.
func confirm(cmd *cobra.Command, yes bool, what string) error {
	if yes {
		return nil
	}
	if stdin, ok := cmd.InOrStdin().(*os.File); !ok || !term.IsTerminal(int(stdin.Fd())) {
		return fmt.Errorf("to %s can't be undone: use --yes to do it", plain(what))
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s%s? This can't be undone. [y/N] ", strings.ToUpper(what[:1]), plain(what[1:]))
	answer, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	if a := strings.ToLower(strings.TrimSpace(answer)); err == nil && (a == "y" || a == "yes") {
		return nil
	}
	return errors.New("not done")
}
