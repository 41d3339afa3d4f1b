/* SPDX-License-Identifier: MIT */
/* votable: a table as VOTable 1.4 (www.ivoa.net/documents/VOTable), through libxml2. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libxml/xmlreader.h>
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/engine/error.h"
#include "regions/format.h"

#define X(text) ((const xmlChar *)(text))

/* ---- writing ---- */

/* The writer's calls return what they wrote, or -1. */
typedef struct sheet {
    xmlTextWriter *xml;
    bool bad;
} sheet;

static void begin(sheet *s, const char *element)
{
    s->bad |= xmlTextWriterStartElement(s->xml, X(element)) < 0;
}

static void end(sheet *s)
{
    s->bad |= xmlTextWriterEndElement(s->xml) < 0;
}

static void attribute(sheet *s, const char *name, const char *value)
{
    if (*value)
        s->bad |= xmlTextWriterWriteAttribute(s->xml, X(name), X(value)) < 0;
}

static void element(sheet *s, const char *name, const char *text)
{
    if (*text) s->bad |= xmlTextWriterWriteElement(s->xml, X(name), X(text)) < 0;
}

static void write_facts(sheet *s, const rg_ledger *ledger)
{
    for (int i = 0; i < ledger->nfacts; i++) {
        const rg_ledger_fact *fact = &ledger->facts[i];
        begin(s, "PARAM");
        attribute(s, "name", fact->name);
        attribute(s, "datatype", "unicodeChar");
        attribute(s, "arraysize", "*");
        attribute(s, "ucd", fact->ucd);
        s->bad |= xmlTextWriterWriteAttribute(s->xml, X("value"), X(fact->value)) < 0;
        element(s, "DESCRIPTION", fact->about);
        end(s);
    }
}

static void write_field(sheet *s, const rg_ledger_column *c)
{
    static const char *const type[] = { "unicodeChar", "double", "long" };
    char precision[2] = "";
    begin(s, "FIELD");
    attribute(s, "name", c->name);
    attribute(s, "datatype", type[c->kind]);
    if (c->kind == RG_LEDGER_TEXT) attribute(s, "arraysize", "*");
    if (strncmp(c->ucd, "pos.eq", 6) == 0) attribute(s, "ref", "icrs");
    attribute(s, "unit", c->unit);
    attribute(s, "ucd", c->ucd);
    if (c->format && strlen(c->format) == 4 && c->format[3] == 'f') {
        precision[0] = c->format[2];
        attribute(s, "precision", precision);
    }
    element(s, "DESCRIPTION", c->about);
    end(s);
}

static void write_row(sheet *s, const rg_ledger *ledger, int row)
{
    char room[RG_LEDGER_ROOM];
    begin(s, "TR");
    for (int i = 0; i < ledger->ncolumns; i++) {
        begin(s, "TD");
        s->bad |= xmlTextWriterWriteString(
            s->xml, X(rg_ledger_text(&ledger->columns[i], row, room))) < 0;
        end(s);
    }
    end(s);
    s->bad |= xmlTextWriterWriteString(s->xml, X("\n")) < 0;
}

static void write_table(sheet *s, const rg_ledger *ledger)
{
    begin(s, "TABLE");
    attribute(s, "name", "catalogue");
    for (int i = 0; i < ledger->ncolumns; i++) write_field(s, &ledger->columns[i]);
    begin(s, "DATA");
    begin(s, "TABLEDATA");
    for (int i = 0; i < ledger->rows; i++) write_row(s, ledger, i);
    end(s);
    end(s);
    end(s);
}

static void write_document(sheet *s, const rg_ledger *ledger)
{
    s->bad |= xmlTextWriterStartDocument(s->xml, NULL, "UTF-8", NULL) < 0;
    begin(s, "VOTABLE");
    attribute(s, "version", "1.4");
    attribute(s, "xmlns", "http://www.ivoa.net/xml/VOTable/v1.3");
    begin(s, "RESOURCE");
    begin(s, "COOSYS");
    attribute(s, "ID", "icrs");
    attribute(s, "system", "ICRS");
    end(s);
    write_facts(s, ledger);
    write_table(s, ledger);
    end(s);
    end(s);
    s->bad |= xmlTextWriterEndDocument(s->xml) < 0;
}

static int write_votable(const rg_ledger *ledger, FILE *to)
{
    xmlBuffer *text = xmlBufferCreate();
    sheet s = { .xml = text ? xmlNewTextWriterMemory(text, 0) : NULL };
    s.bad = s.xml == NULL;
    if (!s.bad) write_document(&s, ledger);
    if (s.xml) xmlFreeTextWriter(s.xml);
    if (!s.bad) {
        size_t size = (size_t)xmlBufferLength(text);
        s.bad = fwrite(xmlBufferContent(text), 1, size, to) != size;
    }
    if (text) xmlBufferFree(text);
    return s.bad ? RG_FAIL("out of memory for a VOTable") : 0;
}

/* ---- reading ---- */

typedef struct field { rg_ledger_kind kind; char null[256]; } field;

typedef struct reading {
    xmlTextReader *xml;
    rg_ledger *ledger;
    int cell;                 /* of the row, the next */
    bool in_table, over;      /* the first table is the one */
    field *fields;            /* of columns; owned */
} reading;

static const char *attribute_of(xmlTextReader *xml, const char *name, char value[256])
{
    xmlChar *text = xmlTextReaderGetAttribute(xml, X(name));
    snprintf(value, 256, "%s", text ? (const char *)text : "");
    xmlFree(text);
    return value;
}

/* Arrays of numbers stay texts. */
static rg_ledger_kind kind_of(const char *datatype, const char *arraysize)
{
    static const char *const whole[] = { "unsignedByte", "short", "int", "long" };
    if (*arraysize && strcmp(arraysize, "1") != 0) return RG_LEDGER_TEXT;
    if (strcmp(datatype, "float") == 0 || strcmp(datatype, "double") == 0)
        return RG_LEDGER_REAL;
    for (int i = 0; i < 4; i++)
        if (strcmp(datatype, whole[i]) == 0) return RG_LEDGER_WHOLE;
    return RG_LEDGER_TEXT;
}

static int read_field(reading *r)
{
    char value[256], other[256];
    const char *name = attribute_of(r->xml, "name", value);
    rg_ledger_column *c = rg_ledger_add(r->ledger, name, RG_LEDGER_TEXT);
    if (c == NULL) return -1;
    attribute_of(r->xml, "unit", value);
    RG_TRY(rg_ledger_describe(c, value, attribute_of(r->xml, "ucd", other), ""));
    int n = r->ledger->ncolumns;
    field *more = realloc(r->fields, (size_t)n * sizeof *more);
    if (more == NULL) return RG_FAIL("out of memory for a table");
    r->fields = more;
    attribute_of(r->xml, "datatype", value);
    more[n - 1] = (field){
        .kind = kind_of(value, attribute_of(r->xml, "arraysize", other)) };
    return 0;
}

/* Without the white space around it, cut in place. */
static const char *trim(xmlChar *text)
{
    char *from = text ? (char *)text : "", *end = from + strlen(from);
    while (isspace((unsigned char)*from)) from++;
    while (end > from && isspace((unsigned char)end[-1])) *--end = '\0';
    return from;
}

static int read_cell(reading *r)
{
    rg_ledger *l = r->ledger;
    if (l->rows == 0 || r->cell >= l->ncolumns)
        return RG_FAIL("row %d has more cells than the table columns", l->rows);
    if (xmlTextReaderIsEmptyElement(r->xml)) return r->cell++, 0;
    xmlChar *text = xmlTextReaderReadString(r->xml);
    const char *word = trim(text);
    int status = 0;
    if (*word && strcmp(word, r->fields[r->cell].null) != 0)
        status = rg_ledger_keep(&l->columns[r->cell], l->rows - 1, word);
    xmlFree(text);
    r->cell++;
    return status;
}

static int read_element(reading *r)
{
    const char *name = (const char *)xmlTextReaderConstLocalName(r->xml);
    if (strcmp(name, "TABLE") == 0) r->in_table = true;
    if (!r->in_table) return 0;
    if (strcmp(name, "FIELD") == 0) return read_field(r);
    if (strcmp(name, "VALUES") == 0 && r->ledger->ncolumns > 0)
        attribute_of(r->xml, "null", r->fields[r->ledger->ncolumns - 1].null);
    if (strcmp(name, "TD") == 0) return read_cell(r);
    if (strcmp(name, "TR") == 0) {
        r->cell = 0;
        return rg_ledger_grow(r->ledger);
    }
    if (strcmp(name, "BINARY") == 0 || strcmp(name, "BINARY2") == 0
        || strcmp(name, "FITS") == 0)
        return RG_FAIL("its values are %s, only TABLEDATA is read: convert it, e.g. "
                       "stilts tcopy in=FILE out=NEW.fits", name);
    return 0;
}

static int read_node(reading *r)
{
    int kind = xmlTextReaderNodeType(r->xml);
    if (kind == XML_READER_TYPE_ELEMENT) RG_TRY(read_element(r));
    if (kind == XML_READER_TYPE_END_ELEMENT && r->in_table)
        r->over = strcmp((const char *)xmlTextReaderConstLocalName(r->xml),
                         "TABLE") == 0;
    return 0;
}

static int read_table(reading *r)
{
    int more = 1;
    while (!r->over && (more = xmlTextReaderRead(r->xml)) == 1) RG_TRY(read_node(r));
    if (more < 0) {
        const xmlError *problem = xmlGetLastError();
        const char *text = problem && problem->message ? problem->message : "no XML";
        return RG_FAIL("line %d: %.*s", problem ? problem->line : 0,
                       (int)strcspn(text, "\n"), text);
    }
    if (!r->over || r->ledger->ncolumns == 0) return RG_FAIL("it has no table");
    for (int i = 0; i < r->ledger->ncolumns; i++)
        if (r->fields[i].kind != RG_LEDGER_TEXT)
            RG_TRY(rg_ledger_convert(r->ledger, i, r->fields[i].kind));
    return 0;
}

static int read_votable(const char *path, rg_ledger **out)
{
    reading r = { .xml = NULL };
    *out = NULL;
    int file = open(path, O_RDONLY);
    if (file < 0) return RG_FAIL("%s cannot be read: %s", path, strerror(errno));
    r.xml = xmlReaderForFd(file, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR
                                                 | XML_PARSE_NOWARNING);
    int status = r.xml ? rg_ledger_new(&r.ledger, 0) : RG_FAIL("out of memory");
    if (status == 0) status = read_table(&r);
    xmlFreeTextReader(r.xml);
    close(file);
    free(r.fields);
    if (status == 0) *out = r.ledger;
    else rg_ledger_free(r.ledger);
    return status == 0 ? 0 : rg_error_prefix("%s: ", path);
}

const rg_format rg_format_votable = { "votable", ".vot .xml .votable", write_votable,
                                      read_votable };
