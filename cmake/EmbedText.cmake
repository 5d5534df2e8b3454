# cmake -DINPUT=FILE -DOUTPUT=FILE -P EmbedText.cmake: the bytes of INPUT as a C initialiser list.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUTPUT} "${bytes}\n")
