// Package webkey keeps the key of a sealed store in a browser (GOOS=js GOARCH=wasm).
//
// WebCrypto makes an AES-256-GCM key that it doesn't let anybody export, and
// IndexedDB keeps it, together with the store's key encrypted under it. To
// open the store, WebCrypto decrypts the store's key.
//
// What this achieves: the database of the sealed store alone, as a copy, an export or a
// synchronised part of it, tells nothing; nor does it together with the bytes that this
// package stores, without the browser's own record of the WebCrypto key; and once the
// key's database is deleted, what was sealed can't be read again, as far as
// the browser and the disk really delete.
//
// What it doesn't: any script of the origin can have the store's key decrypted
// as well. And whoever can read the browser's profile on disk finds the
// WebCrypto key there too: Chromium 156 writes it in the clear. Against that,
// only the disk's encryption helps.
package webkey
