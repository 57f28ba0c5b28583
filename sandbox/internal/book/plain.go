package book

import (
	"fmt"
	"reflect"
	"sync"
	"time"
)

// plain are the record types that were checked.
var plain sync.Map

// mustBePlain panics for a record that JSON would not bring back as it was. Whoever adds such a
// table learns it from any test.
func mustBePlain(name string, kind reflect.Type) {
	if _, checked := plain.Load(kind); checked {
		return
	}
	checkPlain(name, kind)
	plain.Store(kind, true)
}

func checkPlain(path string, kind reflect.Type) {
	switch kind.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Uintptr, reflect.Complex128, reflect.Float32:
		panic(fmt.Sprintf("sandbox: %s is a %s, which a record cannot have", path, kind.Kind()))
	case reflect.Map:
		if kind.Key().Kind() != reflect.String {
			panic(fmt.Sprintf("sandbox: the keys of %s are not strings", path))
		}
		checkPlain(path+"[]", kind.Elem())
	case reflect.Slice, reflect.Array:
		checkPlain(path+"[]", kind.Elem())
	case reflect.Struct:
		if kind == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range kind.NumField() {
			field := kind.Field(i)
			if !field.IsExported() && !field.Anonymous || field.Tag.Get("json") == "-" {
				panic(fmt.Sprintf("sandbox: %s.%s would be lost", path, field.Name))
			}
			checkPlain(path+"."+field.Name, field.Type)
		}
	}
}
