// Package netmapcache keeps the last good [netmap.NetworkMap] of a client in
// persistent storage, so that the client can start from it while its control
// plane can't be reached.
package netmapcache
