package main

import (
	"html/template"
	"net/http"

	"github.com/netmapcache/netmapcache/client/internal/tailnet"
)

// doorPolicy lets the page of the door send its form, and nothing else.
const doorPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

var doorPage = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Sign in</title>
<style>main { max-width: 30rem; margin: 4rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif } button { font: inherit; padding: .4rem 1rem }</style>
<main>
{{if .}}<h1>The device is in</h1>
<p>This window can be closed.</p>
{{else}}<h1>A device asks to join the tailnet</h1>
<form method="post"><button autofocus>Let it in</button></form>
{{end}}</main>
`))

// doorOf returns the pages on which people let devices into the tailnet. They are at /auth/, as control names them.
func doorOf(control *tailnet.Control) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /auth/", func(w http.ResponseWriter, _ *http.Request) { writeDoor(w, false) })
	mux.Handle("POST /auth/", sameOrigin(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !control.SignIn(r.URL.Path) {
			http.Error(w, "no device waits here", http.StatusNotFound)
			return
		}
		writeDoor(w, true)
	})))
	return mux
}

func writeDoor(w http.ResponseWriter, open bool) {
	w.Header().Set("Content-Security-Policy", doorPolicy)
	w.Header().Set("Cross-Origin-Opener-Policy", "same-origin") // as for files, so that the page that opened the window can close it
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	doorPage.Execute(w, open)
}
