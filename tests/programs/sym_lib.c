/* SPDX-License-Identifier: MIT */
/* A library that sym_plain opens. */
int sym_lib_object = 1;
static int sym_lock = 2;

int sym_lib_function(int n);

int
sym_lib_function(int n)
{
	sym_lock += n;
	return sym_lock + sym_lib_object;
}
