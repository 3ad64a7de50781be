// Command tailnet serves the page of the reference client together with a control plane
// for it: an embedded tailnet of realistic peers that change all the time, or a
// real control server that it stands in front of. Both are served from one
// origin, so that the browser asks nobody for permission. The control plane can be taken down
// and up again while the page goes on being served.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/netmapcache/netmapcache/client/internal/tailnet"
	"tailscale.com/types/logger"
)

// dirs is a flag that may be given several times.
type dirs []string

func (d *dirs) String() string { return strings.Join(*d, ",") }

func (d *dirs) Set(s string) error {
	*d = append(*d, s)
	return nil
}

func main() {
	log.SetFlags(0)
	tailnet.Confine()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatalf("tailnet: %v", err)
	}
}

func run(ctx context.Context) error {
	var web dirs
	flag.Var(&web, "web", "`folder` with files to serve; given several times, the first that has a file serves it")
	addr := flag.String("addr", "127.0.0.1:8080", "`address` to serve on; port 0 picks a free one")
	peers := flag.Int("peers", 300, "`number` of peers in the embedded tailnet")
	churn := flag.Duration("churn", 2*time.Second, "time between changes in the embedded tailnet; 0 for none")
	seed := flag.Uint64("seed", 1, "`seed` of the embedded tailnet: equal seeds make equal tailnets")
	hostile := flag.Bool("hostile-names", false, "give all in the embedded tailnet names that try to break whatever shows them")
	native := flag.Bool("native", true, "have native peers besides in the embedded tailnet, which answer on port 80")
	nativePage := flag.String("native-page", "", "HTML `file` that the native peers serve, instead of a greeting")
	control := flag.String("control", "", "`URL` of a real control server to stand in front of, instead of the embedded tailnet")
	cert := flag.String("cert", "", "`file` with a certificate, to serve https beside -control; browsers keep keys then")
	key := flag.String("key", "", "`file` with its private key")
	signIn := flag.Bool("sign-in", false, "have the embedded tailnet let a device in when a person says so, on a page of this server")
	inlineStyles := flag.Bool("inline-styles", false, "let the files that are served add styles by code, as terminals do")
	down := flag.Bool("control-down", false, "start with the control plane down")
	verbose := flag.Bool("v", false, "log what the control plane does")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if (*cert == "") != (*key == "") || (*cert != "" && *control == "") {
		return errors.New("-cert needs -key and -control: the embedded tailnet speaks plain http")
	}
	if *peers < 0 {
		return errors.New("-peers must not be negative")
	}
	if len(web) == 0 {
		web = dirs{"dist/page", "dist"}
	}
	logf := logger.Discard
	if *verbose {
		logf = log.Printf
	}

	ln, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	self := loopback(ln.Addr())

	var plane http.Handler
	var embedded *lab
	if *control != "" {
		u, err := url.Parse(*control)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return fmt.Errorf("-control %q is not an http or https URL", *control)
		}
		plane = proxy(u)
	} else {
		embedded = newLab(ctx, self, *peers, *churn, *seed, *hostile, logf)
		embedded.control = tailnet.NewControl(embedded.network, logf)
		embedded.control.Admit(tailnet.Admission{Login: *signIn}, "http://"+self.String())
		plane = embedded.control
	}
	sw := tailnet.NewSwitch(plane)
	sw.Set(!*down)

	policy := contentPolicy
	if *inlineStyles {
		policy = inlineStylesPolicy
	}
	handler := site(sw, web, self, policy)
	if embedded != nil {
		handler = embedded.route(handler)
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          logger.StdLogger(logf),
	}
	scheme, serve := "http", func() error { return server.Serve(ln) }
	if *cert != "" {
		scheme, serve = "https", func() error { return server.ServeTLS(ln, *cert, *key) }
	}
	served := make(chan error, 1)
	go func() { served <- serve() }()
	if embedded != nil && *native {
		var page []byte
		if *nativePage != "" {
			if page, err = os.ReadFile(*nativePage); err != nil {
				return err
			}
		}
		if err := embedded.native.start("http://"+self.String(), page, logf); err != nil {
			return err
		}
		defer embedded.native.close()
		if !*down {
			fmt.Println("Waiting for the native peers, some 3 seconds")
			if err := embedded.native.up(ctx); err != nil {
				return err
			}
		}
	}
	fmt.Printf("Serving on %s://%s/ - end with Ctrl-C\n", scheme, ln.Addr())

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	sw.Set(false) // the server doesn't close connections that were taken over
	closing, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return server.Shutdown(closing)
}

// loopback returns the address under which this machine reaches a server that listens on addr.
func loopback(addr net.Addr) netip.AddrPort {
	self := addr.(*net.TCPAddr).AddrPort()
	if self.Addr().IsUnspecified() {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), self.Port())
	}
	return netip.AddrPortFrom(self.Addr().Unmap(), self.Port())
}
