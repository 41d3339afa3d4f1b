# SPDX-License-Identifier: MIT
"""SkyView's part, played for tests/test_fetch.sh: skyview.py FOLDER.

Writes its port to FOLDER/port and each request to FOLDER/requests.  FOLDER/mode says how
it behaves: ok, slow (3 s), refuse (a page that says no), error (500), junk (no FITS), blank.
"""
import http.server, math, os, struct, sys, time, urllib.parse

folder = sys.argv[1]


def card(name, value):
    return f"{name:8s}= {value}".ljust(80)


def fits(ra, dec, side, degrees, survey, blank):
    """A TAN image of side x side pixels with one source in its middle."""
    cards = ["SIMPLE  =                    T", "BITPIX  =                  -32",
             "NAXIS   =                    2"]
    cards += [card("NAXIS1", side), card("NAXIS2", side)]
    cards += [card("CTYPE1", "'RA---TAN'"), card("CTYPE2", "'DEC--TAN'")]
    cards += [card("CRVAL1", repr(ra)), card("CRVAL2", repr(dec))]
    cards += [card("CRPIX1", (side + 1) / 2), card("CRPIX2", (side + 1) / 2)]
    cards += [card("CDELT1", -degrees / side), card("CDELT2", degrees / side)]
    cards += [card("RADESYS", "'FK5     '"), card("EQUINOX", 2000.0),
              card("SURVEY", f"'{survey}'"), "END"]
    header = "".join(c.ljust(80) for c in cards)
    header += " " * (-len(header) % 2880)
    middle = (side - 1) / 2
    pixels = [0.0 if blank else
              0.02 * math.exp(-((i % side - middle) ** 2 + (i // side - middle) ** 2) / 12)
              + 1e-4 * ((i * 7919 % 1000) / 1000 - 0.5) for i in range(side * side)]
    data = struct.pack(f">{side * side}f", *pixels)
    return header.encode() + data + b"\0" * (-len(data) % 2880)


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, code, kind, body):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):       # the name resolver
        name = urllib.parse.unquote(self.path.split("?")[-1]).replace("+", " ")
        with open(folder + "/requests", "a") as log:
            log.write(f"name {name}\n")
        if name != "3C 219":
            return self.answer(200, "text/xml", b"<Sesame></Sesame>")
        self.answer(200, "text/xml", b"<Sesame><Target><Resolver><jpos>09:21:08.6 "
                    b"+45:38:57</jpos><jradeg>140.28583</jradeg>"
                    b"<jdedeg>45.64925</jdedeg></Resolver></Target></Sesame>")

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with open(folder + "/requests", "a") as log:
            log.write(urllib.parse.unquote_plus(text) + "\n")
        with open(folder + "/mode") as file:
            mode = file.read().strip()
        q = urllib.parse.parse_qs(text)
        if mode == "slow":
            time.sleep(3)
        if mode == "refuse":
            return self.answer(200, "image/svg+xml", b"<html>SkyView is away</html>")
        if mode == "error":
            return self.answer(500, "text/html", b"<html>error</html>")
        if mode == "junk":
            return self.answer(200, "image/fits", b"This is no FITS file.")
        ra, dec = map(float, q["Position"][0].split(","))
        body = fits(ra, dec, int(q["Pixels"][0].split(",")[0]),
                    float(q["Size"][0].split(",")[0]), q["Survey"][0], mode == "blank")
        self.answer(200, "image/fits", body)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(folder + "/port.new", "w") as file:
    file.write(str(server.server_port))
os.rename(folder + "/port.new", folder + "/port")
server.serve_forever()
