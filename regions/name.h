/* SPDX-License-Identifier: MIT */
/* name: names of sources from their position by the IAU's rules (cds.unistra.fr/Dic/
 * iau-spec.html): RGCL Jhhmmss.s+ddmmss, truncated, never rounded.
 *
 *     char name[RG_NAME_SIZE];
 *     rg_name_format(150.0, -0.5, name);     // "RGCL J100000.0-003000"
 */
#ifndef RG_NAME_H
#define RG_NAME_H

#define RG_NAME_SIZE 24

/* ra (any turn), dec [deg, ICRS].  What falls short of a digit by under a millionth of
 * it counts as that digit, since decimal degrees of a whole second often do. */
void rg_name_format(double ra, double dec, char name[RG_NAME_SIZE]);

#endif
