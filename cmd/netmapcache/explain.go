package main

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/netmapcache/netmapcache/netmapcache"
)

// explain returns what err says, and what to do about it where that helps.
func explain(err error) string {
	text := reason(err)
	hint := ""
	switch {
	case errors.Is(err, netmapcache.ErrCorrupt):
		hint = `"netmapcache verify" names everything that is damaged, --partial shows the rest; the client's next save replaces it`
	case errors.Is(err, netmapcache.ErrFormat):
		hint = "a newer netmapcache reads it"
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

// reason returns what err says, without the words that all errors have.
func reason(err error) string {
	return strings.NewReplacer("netmapcache: ", "", netmapcache.ErrCacheNotAvailable.Error()+": ", "").Replace(err.Error())
}
