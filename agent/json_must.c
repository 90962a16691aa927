/* json_must.c - JSON that can not be made ends the program: json-c answers a
 * missing object with an assertion, and a field that is lost says the wrong
 * thing.  The linker puts these in the place of json-c's (--wrap). */
#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

_Noreturn static void out_of_memory(void)
{
	static const char text[] = "davylamp: out of memory\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(4); /* unable */
}

#define MUST(name, parameters, arguments) \
	json_object *__real_##name parameters; \
	json_object *__wrap_##name parameters; \
	json_object *__wrap_##name parameters \
	{ \
		json_object *o = __real_##name arguments; \
\
		return o ? o : (out_of_memory(), NULL); \
	}

MUST(json_object_new_object, (void), ())
MUST(json_object_new_array, (void), ())
MUST(json_object_new_string, (const char *s), (s))
MUST(json_object_new_int, (int32_t i), (i))
MUST(json_object_new_int64, (int64_t i), (i))
MUST(json_object_new_uint64, (uint64_t i), (i))
MUST(json_object_new_double, (double d), (d))
MUST(json_object_new_boolean, (json_bool b), (b))

int __real_json_object_object_add(json_object *, const char *, json_object *);
int __wrap_json_object_object_add(json_object *, const char *, json_object *);
int __real_json_object_array_add(json_object *, json_object *);
int __wrap_json_object_array_add(json_object *, json_object *);
const char *__real_json_object_to_json_string_ext(json_object *, int);
const char *__wrap_json_object_to_json_string_ext(json_object *, int);

int __wrap_json_object_object_add(json_object *o, const char *key,
				  json_object *value)
{
	return __real_json_object_object_add(o, key, value)
		       ? (out_of_memory(), -1)
		       : 0;
}

int __wrap_json_object_array_add(json_object *o, json_object *value)
{
	return __real_json_object_array_add(o, value) ? (out_of_memory(), -1)
						      : 0;
}

/* json-c leaves out what its buffer has no room for, and does not say so.  The
 * buffer stays: a second time all is there, or it is as short as before, which
 * is no JSON as a rule, or there is no memory to tell. */
const char *__wrap_json_object_to_json_string_ext(json_object *o, int flags)
{
	const char *s = __real_json_object_to_json_string_ext(o, flags);
	size_t before = s ? strlen(s) : 0;
	json_object *parsed;

	if (s)
		s = __real_json_object_to_json_string_ext(o, flags);
	if (s && strlen(s) != before)
		s = __real_json_object_to_json_string_ext(o, flags);
	parsed = s && o ? json_tokener_parse(s) : NULL;
	if (!s || (o && !parsed))
		out_of_memory();
	json_object_put(parsed);
	return s;
}
