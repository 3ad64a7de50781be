package main

import (
	"errors"
	"net/http"

	"github.com/netmapcache/netmapcache/client/internal/tailnet"
)

// admissionState is what /-/admission gives.
type admissionState struct {
	Registrations int64 `json:"registrations"` // how often nodes have registered, signed in or logged out
	Browsers      int   `json:"browsers"`      // how many follow the network
}

// routeAdmission adds what decides which browsers the tailnet has, and the page on which people sign in.
func (l *lab) routeAdmission(mux *http.ServeMux) {
	post := func(path string, h http.HandlerFunc) { mux.Handle("POST "+path, fromHere(sameOrigin(h))) }
	mux.Handle("GET /-/admission", fromHere(http.HandlerFunc(l.writeAdmission)))
	post("/-/admission", func(w http.ResponseWriter, r *http.Request) {
		var want tailnet.Admission
		if readJSON(w, r, &want, func() error { return nil }) {
			l.control.Admit(want, "http://"+l.relays.String())
			l.writeAdmission(w, r)
		}
	})
	post("/-/approve", func(w http.ResponseWriter, r *http.Request) {
		if readJSON(w, r, &struct{}{}, func() error { return nil }) {
			l.network.Approve()
			l.writeAdmission(w, r)
		}
	})
	post("/-/remove", func(w http.ResponseWriter, r *http.Request) {
		if readJSON(w, r, &struct{}{}, func() error { return nil }) {
			l.control.Remove()
			l.writeAdmission(w, r)
		}
	})
	post("/-/exit", l.serveExit)
	mux.Handle("/auth/", fromHere(doorOf(l.control)))
}

func (l *lab) writeAdmission(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, admissionState{l.network.Registrations(), l.network.Browsers()})
}

// serveExit has a native peer be an exit node, or no longer.
func (l *lab) serveExit(w http.ResponseWriter, r *http.Request) {
	var want struct {
		Peer  string `json:"peer"`
		Offer bool   `json:"offer"`
	}
	var peer *tailnet.Native
	if !readJSON(w, r, &want, func() error {
		l.native.mu.Lock()
		defer l.native.mu.Unlock()
		if peer = l.native.running[want.Peer]; peer == nil {
			return errors.New("there is no such native peer")
		}
		return nil
	}) {
		return
	}
	if want.Offer {
		if err := peer.OfferExit(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
	}
	l.network.OfferExit(want.Peer, want.Offer)
	l.writeAdmission(w, r)
}
