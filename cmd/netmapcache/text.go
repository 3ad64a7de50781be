package main

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
)

// visible reports whether a terminal shows r as it is, and does nothing else. Control
// characters of ASCII and of C1, those that change the direction of text, and
// other invisible characters are not visible.
func visible(r rune) bool { return r != utf8.RuneError && unicode.IsPrint(r) }

// plain makes s harmless for a terminal, since names come from peers.
// It escapes what isn't visible as in Go.
func plain(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !visible(r) }) < 0 {
		return s
	}
	quoted := strconv.QuoteToGraphic(s)
	return quoted[1 : len(quoted)-1]
}

// maxShown is how many bytes of a value are shown in one place.
const maxShown = 200

// short returns s made plain, and cut if it is long, since a table pads every row to its longest cell.
func short(s string) string {
	if len(s) > maxShown {
		s = strings.ToValidUTF8(s[:maxShown], "") + "…"
	}
	return plain(s)
}

const timeLayout = "2006-01-02 15:04:05"

// moment returns t as text, with the distance from now.
func moment(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.Local().Format(timeLayout) + ", " + humanize.Time(t)
}

// past is moment for a time in the past, by the clock of the device that stored it.
func past(t time.Time) string {
	if ahead := time.Until(t); ahead > time.Minute {
		return t.Local().Format(timeLayout) + ", in the future: a clock was or is wrong"
	}
	return moment(t)
}
