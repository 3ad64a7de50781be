package main

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/netmapcache/netmapcache/netmapcache"
)

// explain returns the text of err, with a hint what to do about it if there is one.
func explain(err error) string {
	text := reason(err)
	hint := ""
	switch {
	case errors.Is(err, netmapcache.ErrCorrupt):
		hint = `"netmapcache verify" lists the damage, --partial shows the rest; the client's next save replaces everything`
	case errors.Is(err, netmapcache.ErrFormat):
		hint = "a newer netmapcache can read it"
	case errors.Is(err, netmapcache.ErrEmpty):
		hint = "no network map is stored there"
	case errors.Is(err, fs.ErrPermission):
		hint = "run it as the user that the client runs as"
	}
	if hint != "" {
		text += "\n(" + hint + ")"
	}
	return text
}

// reason returns the text of err, without the words that all errors have.
func reason(err error) string {
	return strings.NewReplacer("netmapcache: ", "", netmapcache.ErrCacheNotAvailable.Error()+": ", "").Replace(err.Error())
}
