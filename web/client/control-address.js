// Has the program reach control under its URL. Of the URL, Tailscale's client in a browser takes no more than the name of the host
// for its WebSocket: it drops the port where there is TLS, and a path everywhere (controlhttp's client_js.go). And what it asks for
// within that connection would begin with the path, of which control, behind a proxy that takes the path off, knows nothing. So the
// program is told a URL without a path, and what it opens at control is put where it belongs.

// controlAddress returns functions from the URLs that the program has: of what it fetches, and of its sockets.
export function controlAddress(controlURL) {
  const base = new URL(controlURL);
  const under = (path, protocol) => {
    const url = new URL(base.href.replace(/[?#].*$/, '').replace(/\/*$/, path));
    url.protocol = protocol;
    return url.href;
  };
  return {
    fetched(url) {
      const [, search] = url.startsWith(`${base.origin}/key?`) ? /(\?.*)$/.exec(url) : [];
      return search ? under(`/key${search}`, base.protocol) : url;
    },
    socket(url) {
      const [, search] = /^wss?:\/\/[^/?#]*\/ts2021(\?.*)$/.exec(url) ?? [];
      return search ? under(`/ts2021${search}`, base.protocol.replace('http', 'ws')) : url;
    },
  };
}
