package storetest

import (
	"strings"

	"github.com/netmapcache/netmapcache/store"
)

// longKey is as long as a key may be.
var longKey = strings.Repeat("k", store.MaxKeyLen)

var basicScripts = []script{
	{"empty", []step{
		list(""), list("a"), absent("a"), remove("a"), list(""),
	}},
	{"one key", []step{
		put("a", "1"), get("a", "1"), list("", "a"), absent("b", "A", "aa"),
	}},
	{"order is of bytes", []step{
		put("b", "6"), put("a-", "3"), put("a", "2"), put("a.b", "4"), put("aa", "5"), put("B", "1"), put("~", "7"), put(" ", "0"),
		list("", " ", "B", "a", "a-", "a.b", "aa", "b", "~"),
	}},
	{"prefixes", []step{
		put("self", ""), put("peers-00.a", ""), put("peers-01.b", ""), put("peers", ""), put("peer", ""), put("users-00.c", ""),
		list("peers-", "peers-00.a", "peers-01.b"),
		list("peers", "peers", "peers-00.a", "peers-01.b"),
		list("peers-01.b", "peers-01.b"),
		list("peers-01.bb"), list("q"), list("PEERS"), list(" "), list("~"),
		list("", "peer", "peers", "peers-00.a", "peers-01.b", "self", "users-00.c"),
	}},
	{"prefixes at the ends of the order", []step{
		put("~", ""), put("~~", ""), put(" ", ""), put("  ", ""),
		list("~", "~", "~~"), list("~~", "~~"), list(" ", " ", "  "),
	}},
	{"every printable character", []step{
		put(printable[:50], "1"), put(printable[50:], "2"),
		get(printable[:50], "1"), get(printable[50:], "2"),
		list("", printable[:50], printable[50:]),
	}},
	{"keys that a file system could take for something else", []step{
		put(".", "1"), put("..", "2"), put("a/b", "3"), put(`a\b`, "4"), put("../x", "5"), put("nul", "6"), put("a:b", "7"),
		get(".", "1"), get("..", "2"), get("a/b", "3"), get(`a\b`, "4"), get("../x", "5"), get("nul", "6"), get("a:b", "7"),
		list("", ".", "..", "../x", "a/b", "a:b", `a\b`, "nul"),
	}},
	{"longest key", []step{
		put(longKey, "1"), get(longKey, "1"), list("k", longKey), list(longKey, longKey), remove(longKey), list(""),
	}},
	{"empty value is not absence", []step{
		put("a", ""), get("a", ""), list("", "a"), remove("a"), absent("a"),
	}},
	{"replace", []step{
		put("a", "longer than the next"), put("a", "short"), get("a", "short"), put("a", ""), get("a", ""), put("a", "1"), get("a", "1"), list("", "a"),
	}},
	{"remove", []step{
		put("a", "1"), put("aa", "2"), put("b", "3"),
		remove("a"), absent("a"), get("aa", "2"), list("", "aa", "b"),
		remove("a", "x"), list("", "aa", "b"),
		put("a", "4"), get("a", "4"), list("", "a", "aa", "b"),
		remove("a", "aa", "b"), list(""),
	}},
	{"case matters", []step{
		put("a", "lower"), put("A", "upper"), get("a", "lower"), get("A", "upper"), remove("A"), get("a", "lower"),
	}},
}

var commitScripts = []script{
	{"nothing", []step{
		commit(store.Change{}), list(""),
	}},
	{"put", []step{
		commit(store.Change{Put: []store.Entry{entry("b", "1"), entry("c", ""), entry("a", "2")}}),
		list("", "a", "b", "c"), get("a", "2"), get("b", "1"), get("c", ""),
	}},
	{"one put", []step{
		commit(store.Change{Put: []store.Entry{entry("a", "1")}}), get("a", "1"), list("", "a"),
	}},
	{"replace and remove", []step{
		put("a", "1"), put("b", "2"), put("c", "3"),
		commit(store.Change{Put: []store.Entry{entry("d", "4"), entry("a", "5")}, Remove: []string{"c", "b"}}),
		list("", "a", "d"), get("a", "5"), get("d", "4"),
	}},
	{"remove only", []step{
		put("a", "1"), put("b", "2"),
		commit(store.Change{Remove: []string{"a"}}), list("", "b"),
	}},
	{"remove absent keys", []step{
		put("a", "1"),
		commit(store.Change{Remove: []string{"x", "a", "y"}}), list(""),
		commit(store.Change{Put: []store.Entry{entry("a", "1")}, Remove: []string{"x"}}), list("", "a"),
	}},
	{"remove a key that can't be stored", []step{
		commit(store.Change{Put: []store.Entry{entry("a", "1")}, Remove: []string{"", "\x00", longKey + "k"}}), list("", "a"),
	}},
	{"guard holds", []step{
		put("a", "1"),
		commit(store.Change{Guard: guard("a", "1"), Put: []store.Entry{entry("b", "2"), entry("a", "3")}}),
		get("a", "3"), get("b", "2"),
		commit(store.Change{Guard: guard("a", "3"), Remove: []string{"b", "a"}}),
		list(""),
	}},
	{"guard on another key holds", []step{
		put("a", "1"),
		commit(store.Change{Guard: guard("a", "1"), Put: []store.Entry{entry("b", "2")}}),
		get("a", "1"), get("b", "2"),
	}},
	{"guard on an empty value", []step{
		put("a", ""),
		commit(store.Change{Guard: guard("a", ""), Put: []store.Entry{entry("a", "1")}}), get("a", "1"),
	}},
	{"guard on absence holds", []step{
		commit(store.Change{Guard: guardAbsent("a"), Put: []store.Entry{entry("b", "1"), entry("a", "2")}}),
		list("", "a", "b"),
	}},
	{"guard differs", []step{
		put("a", "1"), put("b", "2"),
		refuse(store.Change{Guard: guard("a", "0"), Put: []store.Entry{entry("c", "3"), entry("a", "4")}, Remove: []string{"b"}}, store.ErrConflict),
		refuse(store.Change{Guard: guard("a", ""), Put: []store.Entry{entry("a", "4")}}, store.ErrConflict),
		refuse(store.Change{Guard: guard("a", "11"), Put: []store.Entry{entry("a", "4")}}, store.ErrConflict),
		refuse(store.Change{Guard: guard("a", "0"), Remove: []string{"b"}}, store.ErrConflict),
	}},
	{"guard wants a value and there is none", []step{
		put("b", "2"),
		refuse(store.Change{Guard: guard("a", "1"), Put: []store.Entry{entry("b", "3"), entry("a", "4")}}, store.ErrConflict),
		refuse(store.Change{Guard: guard("a", ""), Put: []store.Entry{entry("a", "4")}}, store.ErrConflict),
	}},
	{"guard wants absence and there is a value", []step{
		put("a", "1"),
		refuse(store.Change{Guard: guardAbsent("a"), Put: []store.Entry{entry("b", "3"), entry("a", "4")}}, store.ErrConflict),
		put("a", ""),
		refuse(store.Change{Guard: guardAbsent("a"), Put: []store.Entry{entry("a", "4")}}, store.ErrConflict),
	}},
	{"guard alone", []step{
		put("a", "1"),
		commit(store.Change{Guard: guard("a", "1")}),
		commit(store.Change{Guard: guardAbsent("b")}),
		refuse(store.Change{Guard: guard("a", "2")}, store.ErrConflict),
		refuse(store.Change{Guard: guardAbsent("a")}, store.ErrConflict),
		get("a", "1"), list("", "a"),
	}},
	{"bad keys", []step{
		put("a", "1"),
		refuse(store.Change{Put: []store.Entry{entry("b", "2"), entry("", "3")}}, store.ErrBadKey),
		refuse(store.Change{Put: []store.Entry{entry("\n", "2"), entry("b", "3")}}, store.ErrBadKey),
		refuse(store.Change{Put: []store.Entry{entry("b", "2"), entry(longKey+"k", "3")}, Remove: []string{"a"}}, store.ErrBadKey),
		refuse(store.Change{Guard: guardAbsent("é"), Put: []store.Entry{entry("b", "2")}}, store.ErrBadKey),
	}},
	{"a key twice", []step{
		put("a", "1"),
		refuse(store.Change{Put: []store.Entry{entry("b", "2"), entry("b", "2")}}, nil),
		refuse(store.Change{Put: []store.Entry{entry("b", "2"), entry("a", "3")}, Remove: []string{"b"}}, nil),
		refuse(store.Change{Remove: []string{"a", "a"}}, nil),
	}},
}

// printable is every character of a valid key.
var printable = func() string {
	var b strings.Builder
	for c := byte(' '); c <= '~'; c++ {
		b.WriteByte(c)
	}
	return b.String()
}()
